import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { analyze } from '../graph/analyze.ts';
import type { Layer } from '../graph/rule.ts';
import { plan } from '../plan/plan.ts';
import { examples, liven } from '../test-models/build.ts';
import { dataOf, difference, outputsOf, reloaded } from '../test-models/compare.ts';
import { smallMlp, smallResNet, task } from '../test-models/fixed.ts';
import { scores } from '../test-models/pruners.ts';
import { mask } from './mask.ts';
import { removableLayers, removeLayer } from './remove-layer.ts';

const TOLERANCE = 1e-5;
const { dense, batchNormalization, dropout, conv2d, flatten } = layers;
const lively = (model: LayersModel): LayersModel => {
  liven(model, 3);
  return model;
};
const weightNames = (model: LayersModel) => model.weights.map(({ originalName }) => originalName);
const asLayer = (model: LayersModel) => model as unknown as Layer;
const apply = (layer: Layer, from: SymbolicTensor) => layer.apply(from) as SymbolicTensor;

/** Models whose layer `gone` is linear, so that nothing is lost with it. */
const linear: Readonly<Record<string, () => LayersModel>> = {
  'in the middle': () =>
    sequential({
      layers: [
        dense({ units: 5, activation: 'relu', inputShape: [4], name: 'before' }),
        dense({ units: 7, name: 'gone' }),
        dense({ units: 3, activation: 'softmax', name: 'after' }),
      ],
    }),
  'first, with normalisation and dropout behind it': () =>
    sequential({
      layers: [
        dense({ units: 7, useBias: false, inputShape: [4], name: 'gone' }),
        batchNormalization({ name: 'norm' }),
        dropout({ rate: 0.5, name: 'drop' }),
        dense({ units: 3, name: 'after' }),
      ],
    }),
  'over a sequence': () =>
    sequential({
      layers: [
        dense({ units: 7, inputShape: [6, 4], name: 'gone' }),
        dense({ units: 3, activation: 'tanh', name: 'after' }),
        flatten({ name: 'flat' }),
        dense({ units: 2, name: 'logits' }),
      ],
    }),
  'a convolution of single pixels': () =>
    sequential({
      layers: [
        conv2d({ filters: 7, kernelSize: 1, inputShape: [6, 5, 2], name: 'gone' }),
        batchNormalization({ name: 'norm' }),
        conv2d({ filters: 3, kernelSize: 3, strides: 2, activation: 'relu', name: 'after' }),
        flatten({ name: 'flat' }),
        dense({ units: 2, name: 'logits' }),
      ],
    }),
  'read twice, past different layers': () => {
    const x = input({ shape: [4], name: 'x' });
    const made = apply(dense({ units: 6, name: 'gone' }), x);
    const [left, right] = [
      apply(dense({ units: 3, activation: 'relu', name: 'left' }), made),
      apply(dense({ units: 3, name: 'right' }), apply(batchNormalization({ name: 'norm' }), made)),
    ];
    const sum = layers.add({ name: 'sum' }).apply([left, right]) as SymbolicTensor;
    return modelOf({ inputs: x, outputs: apply(dense({ units: 2, name: 'logits' }), sum), name: 'twice' });
  },
  'before a model that reads it': () =>
    sequential({
      layers: [
        dense({ units: 6, inputShape: [4], name: 'gone' }),
        sequential({ name: 'inner', layers: [dense({ units: 3, inputShape: [6], name: 'after' })] }),
      ],
    }),
  'before a functional model that reads it': () => {
    const door = input({ shape: [6], name: 'door' });
    const after = apply(dense({ units: 3, name: 'after' }), door);
    const inner = modelOf({ inputs: door, outputs: after, name: 'inner' });
    const x = input({ shape: [4], name: 'x' });
    const made = apply(dense({ units: 6, name: 'gone' }), x);
    return modelOf({ inputs: x, outputs: apply(asLayer(inner), made), name: 'outer' });
  },
  'a model of its own': () =>
    sequential({
      layers: [
        sequential({ name: 'inner', layers: [dense({ units: 6, inputShape: [4], name: 'gone' })] }),
        dense({ units: 3, name: 'after' }),
      ],
    }),
  'a functional model of its own': () => {
    const door = input({ shape: [5], name: 'door' });
    const inner = modelOf({
      inputs: door,
      outputs: apply(dense({ units: 6, name: 'gone' }), door),
      name: 'inner',
    });
    const x = input({ shape: [4], name: 'x' });
    const made = apply(asLayer(inner), apply(dense({ units: 5, activation: 'tanh', name: 'first' }), x));
    return modelOf({ inputs: x, outputs: apply(dense({ units: 3, name: 'after' }), made), name: 'outer' });
  },
};

const pathTo = (model: LayersModel) =>
  removableLayers(model).find(({ layer }) => layer.endsWith('gone'))?.layer ?? 'gone';

describe('removeLayer', () => {
  for (const [name, make] of Object.entries(linear)) {
    it(`loses nothing with a linear layer: ${name}`, async () => {
      const model = lively(make());
      const x = examples(model, 8, 1);
      const [before, weights] = [outputsOf(model, x), dataOf(model)];
      const tensors = tf.memory().numTensors;
      const small = await removeLayer(model, { layer: pathTo(model) });
      expect(tf.memory().numTensors - tensors).toBe(small.weights.length);
      expect(dataOf(model), 'the given model stays').toEqual(weights);
      expect(weightNames(small).join()).not.toMatch(/gone|norm/);
      expect(difference(before, outputsOf(small, x))).toBeLessThan(TOLERANCE);
      expect(difference(before, outputsOf(await reloaded(small), x))).toBeLessThan(TOLERANCE);
      expect(analyze(small).layers.map(({ name: one }) => one.split('/').at(-1))).not.toContain('gone');
    });
  }

  it('finds the map that the data asks for: an identity behind a ReLU that never bends', async () => {
    const model = sequential({
      layers: [
        dense({ units: 4, activation: 'relu', inputShape: [4], name: 'gone', kernelInitializer: 'identity' }),
        dense({ units: 2, name: 'after' }),
      ],
    });
    const x = tf.randomUniform([200, 4], 0.1, 1, 'float32', 3);
    const [kernel] = dataOf(model).slice(-2);
    const before = outputsOf(model, [x]);
    const small = await removeLayer(model, { layer: 'gone', data: { x, batchSize: 64 } });
    expect(difference(before, outputsOf(small, [x]))).toBeLessThan(1e-3);
    dataOf(small)[0]!.forEach((value, i) => {
      expect(value).toBeCloseTo(kernel![i]!, 2);
    });
  });

  it('fits by least squares: one input, worked by hand', async () => {
    const model = sequential({
      layers: [
        dense({ units: 1, activation: 'relu', inputShape: [1], name: 'gone' }),
        dense({ units: 1, name: 'after' }),
      ],
    });
    model.setWeights([tf.tensor2d([[1]]), tf.tensor1d([0]), tf.tensor2d([[3]]), tf.tensor1d([1])]);
    const x = tf.tensor2d([[-1], [0], [1]]);
    const small = await removeLayer(model, { layer: 'gone', data: { x } });
    // relu(x) over -1, 0, 1: covariance 1/3, variance 2/3, mean 1/3: x / 2 + 1/3, and 3 of it + 1
    const [kernel, bias] = dataOf(small);
    expect(kernel![0]).toBeCloseTo(1.5, 3);
    expect(bias![0]).toBeCloseTo(2, 3);
  });

  it('is as the model was but for the layer: compiled, names, and the optimizer where it stood', async () => {
    const model = smallMlp();
    model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError', metrics: ['mae'] });
    const { x, y } = task(model, 32);
    await model.fit(x, y, { epochs: 2, verbose: 0 });
    const slots = (one: LayersModel) =>
      (one.optimizer as unknown as { accumulatedFirstMoment: ({ variable: tf.Variable } | undefined)[] })
        .accumulatedFirstMoment;
    const tensors = tf.memory().numTensors;
    const small = await removeLayer(model, { layer: 'second', data: { x } });
    expect(weightNames(small)).toEqual(['first/kernel', 'first/bias', 'logits/kernel', 'logits/bias']);
    expect(small.metricsNames).toEqual(model.metricsNames);
    expect(small.optimizer.getConfig()).toEqual(model.optimizer.getConfig());
    const carried = slots(small);
    for (const [to, from] of [
      [0, 0],
      [1, 1],
      [3, 5],
    ] as const) {
      expect(carried[to]!.variable.dataSync()).toEqual(slots(model)[from]!.variable.dataSync());
    }
    expect(carried[2]!.variable.shape, 'a kernel that was made anew').toEqual([6, 2]);
    expect(
      carried[2]!.variable.dataSync().every((value) => value === 0),
      'starts anew',
    ).toBe(true);
    const { history } = await small.fit(x, y, { epochs: 30, verbose: 0 });
    expect(history.loss!.at(-1)).toBeLessThan(history.loss![0] as number);
    small.optimizer.dispose();
    small.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('does not miss data where nothing is learned, and says what it needs where it can', async () => {
    const model = smallMlp();
    const tensors = tf.memory().numTensors;
    const refuse = (options: Parameters<typeof removeLayer>[1]) =>
      expect(removeLayer(model, options)).rejects;
    await refuse({ layer: 'second' }).toThrow(
      "[core] layer 'second' is not linear, so what stands in for it depends on data: give data: { x }",
    );
    await refuse({ layer: 'secnod' }).toThrow(
      "[core] layer 'secnod' can't be removed: there is none of that name. Of this model can go: first, second",
    );
    await refuse({ layer: 'logits' }).toThrow("layer 'logits' can't be removed: the model puts it out");
    expect(tf.memory().numTensors).toBe(tensors);
    const data = { x: tf.fill([8, 4], Number.NaN) };
    await refuse({ layer: 'second', data }).toThrow('look for NaN in the data');
    expect(tf.memory().numTensors).toBe(tensors + 1);
    await mask(model, await plan(model, { pruner: scores(), budget: { count: 1 } }));
    await refuse({ layer: 'second', data }).toThrow(
      'units of this model are masked: call shrink(model) first',
    );
  });
});

describe('the optimizer', () => {
  for (const [name, optimizer] of Object.entries({
    sgd: () => tf.train.sgd(0.01),
    momentum: () => tf.train.momentum(0.01, 0.9),
    rmsprop: () => tf.train.rmsprop(0.01),
    adagrad: () => tf.train.adagrad(0.01),
    adadelta: () => tf.train.adadelta(0.01),
    adamax: () => tf.train.adamax(0.01),
  })) {
    it(`goes on without a layer: ${name}`, async () => {
      const model = smallMlp();
      model.compile({ optimizer: optimizer(), loss: 'meanSquaredError' });
      const { x, y } = task(model, 16);
      await model.fit(x, y, { epochs: 1, verbose: 0 });
      const before = tf.memory().numTensors;
      // TensorFlow.js' own momentum leaves a tensor behind
      optimizer().dispose();
      const tensors = 2 * tf.memory().numTensors - before;
      const small = await removeLayer(model, { layer: 'first', data: { x } });
      const { history } = await small.fit(x, y, { epochs: 2, verbose: 0 });
      expect(history.loss!.every(Number.isFinite)).toBe(true);
      small.optimizer.dispose();
      small.dispose();
      expect(tf.memory().numTensors).toBe(tensors);
    });
  }
});

describe('removableLayers', () => {
  it('lists each layer with a kernel, what goes with it, or why it stays', () => {
    expect(removableLayers(smallMlp())).toEqual([
      { layer: 'first', removable: true, goes: ['first'] },
      { layer: 'second', removable: true, goes: ['second'] },
      { layer: 'logits', removable: false, reason: 'the model puts it out', goes: [] },
    ]);
    const reasons = Object.fromEntries(
      removableLayers(smallResNet()).map(({ layer, goes, reason }) => [layer, reason ?? goes]),
    );
    expect(reasons).toMatchObject({
      stem: 'its window reads more than one position',
      hidden: ['hidden'],
      logits: 'the model puts it out',
    });
  });

  it('says why what reads a layer keeps it', () => {
    const x = input({ shape: [4, 4, 2], name: 'x' });
    const pixels = (name: string) => conv2d({ filters: 3, kernelSize: 1, name });
    const shared = dense({ units: 3, name: 'shared' });
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => apply(pixels(name), x));
    const outputs = [
      apply(conv2d({ filters: 2, kernelSize: 3, padding: 'same', name: 'border' }), a!),
      apply(conv2d({ filters: 2, kernelSize: 1, useBias: false, name: 'without' }), b!),
      apply(flatten({ name: 'flat' }), c!),
      apply(shared, apply(shared, d!)),
    ].map((tensor, i) => apply(conv2dOrDense(tensor, `out${i}`), tensor));
    const model = modelOf({ inputs: x, outputs, name: 'kept' });
    const reasons = Object.fromEntries(
      removableLayers(model).map(({ layer, reason = '' }) => [layer, reason]),
    );
    expect(reasons.a).toBe('border reads zeros beside it, at the border');
    expect(reasons.b).toBe('without reads it, and has no bias to take a constant');
    expect(reasons.c).toMatch('flat reads it');
    expect(reasons.d).toBe('shared reads it, and is called more than once');
    expect(reasons.shared).toBe('it is called more than once');
  });
});

const conv2dOrDense = (tensor: SymbolicTensor, name: string): Layer =>
  tensor.rank === 4 ? conv2d({ filters: 2, kernelSize: 1, name }) : dense({ units: 2, name });
