import '@tensorflow/tfjs-backend-cpu';
import {
  constraints,
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type RNN,
  regularizers,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { analyze } from '../graph/analyze.ts';
import type { Layer } from '../graph/rule.ts';
import { plan } from '../plan/plan.ts';
import { expectAgreement } from '../test-models/agree.ts';
import { liven } from '../test-models/build.ts';
import { dataOf } from '../test-models/compare.ts';
import { anyScores } from '../test-models/pruners.ts';
import { mask } from './mask.ts';
import { removableLayers } from './remove-layer.ts';
import { shrink } from './shrink.ts';

const fast = { recurrentInitializer: 'glorotUniform' } as const;
const on = (layer: unknown, ...tensors: SymbolicTensor[]): SymbolicTensor =>
  (layer as Layer).apply(tensors.length === 1 ? tensors[0]! : tensors) as SymbolicTensor;
const dense = (units: number, name: string) => layers.dense({ units, activation: 'tanh', name });
const conv = (filters: number, name: string) =>
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu', name });
const asLayer = (model: LayersModel) => model as unknown as Layer;
const producers = (model: LayersModel) => analyze(model).groups.map((group) => group.producers);

describe('every way of wiring', () => {
  it('a Sequential model in a functional one in a Sequential one', async () => {
    const inner = sequential({
      name: 'inner',
      layers: [layers.dense({ units: 5, inputShape: [4], name: 'a' }), dense(5, 'b')],
    });
    const source = input({ shape: [4] });
    const middle = modelOf({ inputs: source, outputs: on(asLayer(inner), source), name: 'middle' });
    const outer = sequential({
      layers: [asLayer(middle), dense(5, 'c'), layers.dense({ units: 2, name: 'out' })],
    });
    await expectAgreement(outer, { groups: ['middle/inner/a', 'middle/inner/b', 'c'] });
  });

  it('siamese: one model, and one RNN, called on two inputs', async () => {
    const tower = sequential({
      name: 'tower',
      layers: [
        layers.lstm({ units: 5, inputShape: [4, 3], name: 'lstm', ...fast }),
        layers.dense({ units: 5, name: 'embedding' }),
      ],
    });
    const [left, right] = [input({ shape: [4, 3] }), input({ shape: [4, 3] })];
    const [a, b] = [left, right].map((side) => on(asLayer(tower), side));
    const both = on(layers.concatenate(), on(layers.multiply(), a!, b!), on(layers.average(), a!, b!));
    const model = modelOf({ inputs: [left, right], outputs: on(dense(2, 'out'), both) });
    await expectAgreement(model, { groups: ['tower/lstm', 'tower/embedding'] });
    const gru = layers.gru({ units: 5, name: 'gru', ...fast });
    const joined = on(layers.maximum(), on(gru, left), on(gru, right));
    const shared = modelOf({ inputs: [left, right], outputs: on(dense(2, 'out'), joined) });
    await expectAgreement(shared, { groups: ['gru'] });
  });

  it('one layer on a sequence and on a vector, and on maps of several sizes', async () => {
    const sequence = input({ shape: [3, 4] });
    const [shared, last] = [dense(5, 'shared'), dense(2, 'last')];
    const steps = on(layers.globalMaxPooling1d({}), on(shared, sequence));
    const whole = on(shared, on(layers.globalAveragePooling1d({}), sequence));
    const outputs = [steps, whole].map((tensor) => on(last, tensor));
    await expectAgreement(modelOf({ inputs: sequence, outputs }), { groups: ['shared'] });
    const image = input({ shape: [8, 8, 2] });
    const [large, head] = [on(conv(5, 'large'), image), conv(5, 'head')];
    const small = on(layers.maxPooling2d({ poolSize: 2 }), large);
    const heads = [large, small].map((map) => on(layers.globalMaxPooling2d({}), on(head, map)));
    const out = on(dense(2, 'out'), on(layers.concatenate(), ...heads));
    await expectAgreement(modelOf({ inputs: image, outputs: out }), { groups: ['large', 'head'] });
  });

  it('a PReLU with one slope for all, on the units of two layers', async () => {
    const image = input({ shape: [4, 4, 2] });
    const prelu = layers.prelu({ sharedAxes: [1, 2, 3], name: 'prelu' });
    const [low, high] = ['low', 'high'].map((name) => layers.conv2d({ filters: 5, kernelSize: 1, name }));
    const first = on(prelu, on(low, image));
    const outputs = on(dense(2, 'out'), on(layers.flatten({ name: 'flat' }), on(prelu, on(high, first))));
    const model = modelOf({ inputs: image, outputs });
    expect(producers(model)).toContainEqual(['low', 'high']);
    await expectAgreement(model, { groups: ['low', 'flat'] });
  });

  it('several inputs and outputs, one of them from within', async () => {
    const [image, numbers] = [input({ shape: [4, 4, 2] }), input({ shape: [3] })];
    const seen = on(layers.globalAveragePooling2d({}), on(conv(5, 'seen'), image));
    const joined = on(layers.concatenate(), seen, on(dense(5, 'known'), numbers));
    const hidden = on(dense(5, 'hidden'), joined);
    const outputs = [on(dense(2, 'out'), on(dense(5, 'deep'), hidden)), on(dense(2, 'side'), seen), hidden];
    const model = modelOf({ inputs: [image, numbers], outputs });
    await expectAgreement(model, { groups: ['seen', 'known', 'deep'] });
    expect(analyze(model).groups.find(({ id }) => id === 'hidden')!.reason).toBe('the model puts it out');
  });

  it("an inner model's own output that is also the outer one's", async () => {
    const inside = input({ shape: [4] });
    const first = on(dense(5, 'first'), inside);
    const inner = modelOf({ inputs: inside, outputs: [first, on(dense(5, 'second'), first)], name: 'inner' });
    const source = input({ shape: [4] });
    const [a, b] = on(asLayer(inner), source) as unknown as SymbolicTensor[];
    const model = modelOf({ inputs: source, outputs: [a!, on(dense(2, 'out'), b!)] });
    await expectAgreement(model, { groups: ['inner/second'] });
  });

  it('a tensor concatenated with itself, and three that are added', async () => {
    const source = input({ shape: [4] });
    const a = on(dense(5, 'a'), source);
    const twice = on(dense(5, 'b'), on(layers.concatenate(), a, a));
    const sum = on(layers.add(), twice, on(dense(5, 'c'), source), on(dense(5, 'd'), source));
    const model = modelOf({ inputs: source, outputs: on(dense(2, 'out'), sum) });
    expect(producers(model)).toEqual(
      [['a'], ['c', 'd', 'b'], ['out']].map((names) => expect.arrayContaining(names)),
    );
    await expectAgreement(model);
  });

  it('squeeze and excite, and [1, 1, channels] on [height, width, channels]', async () => {
    const image = input({ shape: [4, 4, 2] });
    const map = on(conv(6, 'map'), image);
    const squeezed = on(layers.globalAveragePooling2d({}), map);
    const gate = on(
      layers.dense({ units: 6, activation: 'sigmoid', name: 'gate' }),
      on(dense(4, 'squeeze'), squeezed),
    );
    const flat = on(layers.multiply(), map, on(layers.reshape({ targetShape: [1, 1, 6] }), gate));
    const pooled = on(layers.maxPooling2d({ poolSize: 4 }), on(conv(6, 'other'), image));
    const sum = on(layers.globalMaxPooling2d({}), on(layers.add(), pooled, flat));
    const model = modelOf({ inputs: image, outputs: on(dense(2, 'out'), sum) });
    await expectAgreement(model);
    expect(
      analyze(model)
        .groups.map(({ size }) => size)
        .sort(),
    ).toEqual([2, 4, 6]);
  });

  it('a U-Net', async () => {
    const image = input({ shape: [8, 8, 2] });
    const top = on(conv(5, 'top'), image);
    const bottom = on(conv(6, 'bottom'), on(layers.maxPooling2d({ poolSize: 2 }), top));
    const up = on(layers.conv2dTranspose({ filters: 5, kernelSize: 2, strides: 2, name: 'up' }), bottom);
    const sampled = on(layers.upSampling2d({}), on(conv(4, 'side'), bottom));
    const merged = on(conv(5, 'merged'), on(layers.concatenate(), top, up, sampled));
    const model = modelOf({
      inputs: image,
      outputs: on(layers.conv2d({ filters: 2, kernelSize: 1 }), merged),
    });
    await expectAgreement(model, { groups: ['top', 'bottom', 'side', 'up', 'merged'] });
  });
});

it('what works inside another layer can not be removed whole', () => {
  const image = sequential({
    name: 'image',
    layers: [layers.dense({ units: 5, inputShape: [3], name: 'a' }), layers.dense({ units: 5, name: 'b' })],
  });
  const source = input({ shape: [4, 3] });
  const each = on(layers.timeDistributed({ layer: asLayer(image), name: 'each' }), source);
  const model = modelOf({ inputs: source, outputs: on(dense(2, 'out'), each) });
  expect(removableLayers(model).filter(({ layer }) => layer.startsWith('each'))).toEqual(
    ['each/image/a', 'each/image/b'].map((layer) => ({
      layer,
      removable: false,
      reason: 'it works inside another layer',
      goes: [],
    })),
  );
});

describe('what a layer is held to', () => {
  const held = (kernelConstraint: object, name = 'first') =>
    sequential({
      layers: [
        layers.dense({ units: 6, inputShape: [4], kernelConstraint: kernelConstraint as never, name }),
        layers.dense({ units: 5, kernelConstraint: kernelConstraint as never, name: 'second' }),
        layers.dense({ units: 2, name: 'out' }),
      ],
    });

  it('a constraint changes nothing of what is cut, whether or not the cut keeps to it', async () => {
    const all = [
      constraints.unitNorm({ axis: 0 }),
      constraints.maxNorm({ maxValue: 1, axis: 0 }),
      constraints.minMaxNorm({ minValue: 0.9, maxValue: 1, axis: 0 }),
      constraints.nonNeg(),
    ];
    for (const constraint of all) await expectAgreement(held(constraint), { groups: ['first', 'second'] });
  });

  it('a constraint stays where the cut keeps to it, and is left out where it does not', async () => {
    const constrained = async (constraint: object) => {
      const { small } = await expectAgreement(held(constraint));
      return ['first', 'second'].map((name) => small.getLayer(name).getConfig().kernelConstraint !== null);
    };
    // whole columns of the first kernel stay, and rows of the second go
    expect(await constrained(constraints.unitNorm({ axis: 0 }))).toEqual([true, false]);
    expect(await constrained(constraints.nonNeg())).toEqual([true, true]);
  });

  it('regularizers go along, also where TensorFlow.js saves them as constraints', async () => {
    const l2 = () => regularizers.l2({ l2: 0.01 });
    const model = sequential({
      layers: [
        layers.conv2d({
          filters: 5,
          kernelSize: 2,
          kernelRegularizer: l2(),
          inputShape: [4, 4, 2],
          name: 'conv',
        }),
        layers.depthwiseConv2d({ kernelSize: 2, depthwiseRegularizer: l2(), name: 'depthwise' }),
        layers.flatten(),
        layers.dense({ units: 2 }),
      ],
    });
    liven(model, 1);
    const small = await shrink(model, await plan(model, { pruner: anyScores(1), budget: { fraction: 0.4 } }));
    const losses = (one: LayersModel) =>
      one.layers.flatMap((layer) => layer.losses).map((loss) => loss().dataSync()[0]);
    expect(losses(small)).toHaveLength(2);
    const { depthwiseConstraint } = small.getLayer('depthwise') as unknown as {
      depthwiseConstraint: unknown;
    };
    expect(depthwiseConstraint ?? null).toBeNull();
  });

  it('frozen layers stay frozen: alone, in a model, in an RNN, both ways, and at each step', async () => {
    const lstm = layers.lstm({ units: 4, returnSequences: true, trainable: false, name: 'lstm', ...fast });
    const way = layers.gru({ units: 4, returnSequences: true, name: 'gru', ...fast }) as RNN;
    const both = layers.bidirectional({ layer: way, mergeMode: 'sum', name: 'both' });
    const each = layers.timeDistributed({
      layer: layers.dense({ units: 4, trainable: false }),
      name: 'each',
    });
    const tail = sequential({
      name: 'tail',
      layers: [layers.dense({ units: 4, inputShape: [4, 4], name: 'inner' })],
    });
    const source = input({ shape: [4, 3] });
    const parts: unknown[] = [
      lstm,
      both,
      each,
      tail,
      layers.flatten(),
      layers.dense({ units: 2, name: 'out' }),
    ];
    const outputs = parts.reduce<SymbolicTensor>((tensor, layer) => on(layer, tensor), source);
    const model = modelOf({ inputs: source, outputs });
    both.trainable = false;
    tail.trainable = false;
    const { small } = await expectAgreement(model);
    expect(small.trainableWeights.map(({ originalName }) => originalName)).toEqual([
      'out/kernel',
      'out/bias',
    ]);
    // compiled neither before nor after
    expect(small.optimizer).toBeUndefined();
  });
});

it('masking leaves what it does not zero as it is, past any constraint', async () => {
  const kernelConstraint = constraints.unitNorm({ axis: 0 });
  const model = sequential({
    layers: [
      layers.dense({ units: 4, inputShape: [3], name: 'first' }),
      layers.dense({ units: 2, kernelConstraint, name: 'out' }),
    ],
  });
  liven(model, 1);
  const before = dataOf(model);
  await mask(model, await plan(model, { pruner: anyScores(1), budget: { count: 1 } }));
  const after = dataOf(model);
  const changed = after.map((values, w) => values.filter((value, i) => value !== before[w]![i]).length);
  expect(changed).toEqual([0, 0, 2, 0]);
  expect(after[2]!.filter((value) => value === 0)).toHaveLength(2);
});
