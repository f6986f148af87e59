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
import { solveRidge } from '../linear/ridge.ts';
import { none } from '../plan/compensation.ts';
import { leastSquares } from '../plan/least-squares.ts';
import { plan } from '../plan/plan.ts';
import { mask } from '../surgery/mask.ts';
import { shrink } from '../surgery/shrink.ts';
import { examples, liven } from '../test-models/build.ts';
import { difference, outputsOf } from '../test-models/compare.ts';
import { scores } from '../test-models/pruners.ts';
import { watch } from '../watch-callback.ts';
import { areProbabilities, drawn } from './sensitivity.ts';

const weighted = leastSquares({ weighted: true });

/** Rows of what a layer puts out. */
const rowsAt = (model: LayersModel, name: string, x: tf.Tensor[]): number[][] =>
  tf.tidy(() => {
    const part = modelOf({ inputs: model.inputs, outputs: model.getLayer(name).output as SymbolicTensor });
    return (part.predict(x[0]!) as tf.Tensor2D).arraySync();
  });

/** What the weights of units 1, 2, ... change by at one output when unit 0 goes and patterns weigh differently. */
function solved(h: readonly number[][], lost: number, weights: readonly number[]): number[] {
  const total = weights.reduce((a, b) => a + b);
  const mean = h[0]!.map((_, unit) => h.reduce((sum, row, p) => sum + weights[p]! * row[unit]!, 0) / total);
  const covariance = (i: number, j: number) =>
    h.reduce((sum, row, p) => sum + weights[p]! * (row[i]! - mean[i]!) * (row[j]! - mean[j]!), 0) / total;
  const left = mean.slice(1).map((_, i) => i + 1);
  const gram = Float64Array.from(left.flatMap((i) => left.map((j) => covariance(i, j))));
  const right = Float64Array.from(left, (i) => lost * covariance(i, 0));
  return Array.from(solveRidge({ gram, right, unknowns: left.length }, 1e-4));
}

/** Its weights with unit 0 made as unit 1 is, and 2 as 3. */
const copied = (layer: layers.Layer): tf.Tensor[] =>
  layer.getWeights().map((weight) => {
    const of = Array.from({ length: weight.shape.at(-1)! }, (_, unit) =>
      unit === 0 || unit === 2 ? unit + 1 : unit,
    );
    return tf.gather(weight, of, weight.rank - 1);
  });

/** Tanh units that a ReLU layer reads, which may close. */
function withRelu(units: number, { inputs, seed }: { inputs: number; seed: number }): LayersModel {
  const model = sequential({
    layers: [
      layers.dense({ units, inputShape: [inputs], activation: 'tanh', name: 'units' }),
      layers.dense({ units: 3, activation: 'relu', name: 'hidden' }),
      layers.dense({ units: 1, name: 'out' }),
    ],
  });
  liven(model, seed);
  return model;
}

describe('weighted least squares', () => {
  it('is refused where what comes back is not a number', async () => {
    const model = sequential({
      layers: [
        layers.dense({ units: 4, inputShape: [5], name: 'units' }),
        layers.dense({ units: 3, name: 'hidden' }),
        layers.dense({ units: 1, name: 'out' }),
      ],
    });
    const broken = model
      .getLayer('out')
      .getWeights()
      .map((weight) => tf.fill(weight.shape, Number.NaN));
    model.getLayer('out').setWeights(broken);
    const options = { pruner: scores(0, 9, 9, 9), budget: { count: 1 }, scope: ['units'] };
    const data = { x: tf.randomNormal([20, 5], 0, 1, 'float32', 1) };
    await expect(plan(model, { ...options, data, compensation: weighted })).rejects.toThrow('look for NaN');
  });

  it('is what a direct solve gives, with patterns that close a ReLU at a sixth of the others’ share', async () => {
    const model = withRelu(4, { inputs: 5, seed: 4 });
    const x = examples(model, 40, 2);
    const options = { pruner: scores(0, 9, 9, 9), budget: { count: 1 }, scope: ['units'] };
    const data = { x, batchSize: 16 };
    const made = await plan(model, { ...options, compensation: weighted, data });
    const [h, hidden] = [rowsAt(model, 'units', x), rowsAt(model, 'hidden', x)];
    const lost = model.getLayer('hidden').getWeights()[0]!.arraySync() as number[][];
    const changes = [0, 1, 2].map((output) => {
      const open = hidden.map((row): number => (row[output]! > 0 ? 1 : 0));
      const mean = open.reduce((a, b) => a + b) / open.length;
      expect(mean).toBeGreaterThan(0);
      return solved(
        h,
        lost[0]![output]!,
        open.map((one) => ((5 / 6) * one) / mean + 1 / 6),
      );
    });
    const [refit] = made.refits!;
    expect(refit).toMatchObject({ layer: 'hidden', entries: [1, 2, 3] });
    refit!.kernel.forEach((change, i) => {
      expect(change).toBeCloseTo(changes[i % 3]![Math.floor(i / 3)]!, 3);
    });
  });

  it('is plain least squares where every pattern says as much', async () => {
    const model = sequential({
      layers: [
        layers.dense({ units: 5, inputShape: [4], activation: 'tanh', name: 'units' }),
        layers.dense({ units: 2, name: 'out' }),
      ],
    });
    liven(model, 3);
    const options = {
      pruner: scores(0, 9, 0, 9, 9),
      budget: { count: 2 },
      data: { x: examples(model, 30, 1) },
    };
    const made = await plan(model, { ...options, compensation: weighted });
    const plain = await plan(model, { ...options, compensation: leastSquares() });
    made.refits![0]!.kernel.forEach((change, i) => {
      expect(change).toBeCloseTo(plain.refits![0]!.kernel[i]!, 3);
    });
  });

  it('goes by what depends on a pattern however little that is, until float32 can’t tell', async () => {
    const refitAt = async (scale: number, compensation = weighted): Promise<readonly number[]> => {
      const model = withRelu(5, { inputs: 4, seed: 3 });
      const out = model.getLayer('out');
      out.setWeights(out.getWeights().map((weight) => tf.mul(weight, scale)));
      const options = { pruner: scores(0, 9, 0, 9, 9), budget: { count: 2 }, scope: ['units'], compensation };
      const made = await plan(model, { ...options, data: { x: examples(model, 30, 1) } });
      return made.refits![0]!.kernel;
    };
    const [usual, plain] = [await refitAt(1), await refitAt(1, leastSquares())];
    expect(Math.max(...usual.map((change, i) => Math.abs(change - plain[i]!)))).toBeGreaterThan(0.01);
    const [small, lost] = [await refitAt(1e-12), await refitAt(1e-22)];
    usual.forEach((change, i) => {
      expect(small[i]).toBeCloseTo(change, 4);
      expect(lost[i]).toBeCloseTo(plain[i]!, 5);
    });
  });

  it('loses nothing of copies, by convolutions, maps and a layer called twice, and leaks nothing', async () => {
    const source = input({ shape: [6, 6, 2] });
    const on = (layer: layers.Layer, from: SymbolicTensor) => layer.apply(from) as SymbolicTensor;
    const units = on(layers.conv2d({ filters: 5, kernelSize: 2, activation: 'tanh', name: 'units' }), source);
    const next = on(layers.conv2d({ filters: 4, kernelSize: 2, activation: 'relu', name: 'next' }), units);
    const shared = layers.dense({ units: 6, activation: 'relu', name: 'shared' });
    const flat = layers.flatten();
    const sides = [next, on(layers.activation({ activation: 'tanh' }), next)].map((one) =>
      on(shared, on(flat, one)),
    );
    const joined = layers.concatenate().apply(sides) as SymbolicTensor;
    const model = modelOf({
      inputs: source,
      outputs: on(layers.dense({ units: 3, activation: 'softmax', name: 'out' }), joined),
    });
    liven(model, 5);
    for (const name of ['units', 'next']) model.getLayer(name).setWeights(copied(model.getLayer(name)));
    const x = examples(model, 60, 1);
    const options = {
      pruner: scores(0, 9, 0, 9),
      budget: { count: 2 },
      scope: ['units', 'next'],
      data: { x, batchSize: 25 },
    };
    const before = tf.memory().numTensors;
    const compensation = leastSquares({ weighted: true, ridge: 1e-7 });
    const made = await plan(model, { ...options, compensation });
    expect(tf.memory().numTensors).toBe(before);
    expect(made.refits!.map(({ layer }) => layer)).toEqual(['next', 'shared']);
    const wanted = outputsOf(model, x);
    const lost = await shrink(model, await plan(model, { ...options, compensation: none() }));
    expect(difference(wanted, outputsOf(lost, x))).toBeGreaterThan(1e-2);
    const small = outputsOf(await shrink(model, made), x);
    expect(difference(wanted, small)).toBeLessThan(1e-4);
    expect(difference(small, outputsOf(await mask(model, made), x))).toBeLessThan(1e-5);
  });

  it('says that a training which is only watched can not weigh', async () => {
    const model = sequential({
      layers: [
        layers.dense({ units: 3, inputShape: [2], name: 'units' }),
        layers.dense({ units: 1, name: 'out' }),
      ],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const watching = watch({ pruner: scores(0), budget: { count: 1 }, compensation: weighted });
    await expect(
      model.fit(tf.ones([4, 2]), tf.ones([4, 1]), { epochs: 1, verbose: 0, callbacks: [watching] }),
    ).rejects.toThrow("compensation 'weighted-least-squares' runs data backwards");
  });
});

describe('what a model says', () => {
  it('is known for class probabilities by their sums', async () => {
    const outputs = [
      tf.tensor2d([[0.25, 0.75]]),
      tf.tensor2d([[0.25, 0.5]]),
      tf.tensor2d([[-0.5, 1.5]]),
      tf.tensor2d([[1]]),
    ];
    expect(await areProbabilities(outputs)).toEqual([true, false, false, false]);
  });

  it('has squared gradients that are in the mean Fisher’s information of the evened-out classes', () => {
    const logits = tf.tensor2d([[2, 0, -1]]);
    const roots = [2, 0, -1].map((z) => Math.exp(z / 2));
    const total = roots.reduce((a, b) => a + b);
    const draws = 2000;
    const sum = tf.tidy(() => {
      const square = (seed: number) =>
        tf.square(tf.grad((z) => drawn([tf.softmax(z)], [true], seed))(logits)).arraySync() as number[][];
      return Array.from({ length: draws }, (_, seed) => square(seed)[0]!);
    });
    roots.forEach((root, k) => {
      const q = root / total;
      const found = sum.reduce((all, squares) => all + squares[k]!, 0) / draws;
      // at temperature 2 a logit counts by a half
      expect(found / ((q * (1 - q)) / 4)).toBeCloseTo(1, 1);
    });
  });
});
