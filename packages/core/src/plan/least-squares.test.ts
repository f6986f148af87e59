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
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Moments } from '../evidence/moments.ts';
import { mask } from '../surgery/mask.ts';
import { shrink } from '../surgery/shrink.ts';
import { examples, liven } from '../test-models/build.ts';
import { difference, outputsOf, reloaded } from '../test-models/compare.ts';
import { scores } from '../test-models/pruners.ts';
import { type Compensation, foldMean, none } from './compensation.ts';
import { leastSquares } from './least-squares.ts';
import { plan } from './plan.ts';

/** Units 0 and 1 stay, unit 2 goes; all are read by one output, with weights 5, 7 and 2. */
const refit = (ridge: number, hasBias: boolean, ...moments: readonly Moments[]) => {
  const { positions } = moments[0]!;
  const weights = [5, 7, 2].flatMap((weight) => Array.from({ length: positions }, () => weight));
  return leastSquares({ ridge }).refit!({
    removed: [2],
    survivors: [0, 1],
    moments,
    weights: Float64Array.from(weights),
    outputs: Int32Array.of(0),
    hasBias,
  });
};

const moments: Moments = {
  units: 3,
  positions: 1,
  means: Float32Array.of(1, 2, 3),
  covariances: Float32Array.of(2, 1, 3, 1, 2, 0, 3, 0, 9),
};

const expectClose = (found: Float64Array | undefined, expected: readonly number[], digits = 6) => {
  expect(found).toHaveLength(expected.length);
  expected.forEach((value, i) => {
    expect(found![i]).toBeCloseTo(value, digits);
  });
};

describe('a 2 x 2 system solved by hand', () => {
  it('with a bias: by covariances', () => {
    // the variances' mean is 2, so (C + 1 I) = [3 1; 1 3], its inverse [3 -1; -1 3] / 8, times [3; 0] 2
    const { weights, bias } = refit(0.5, true, moments);
    expectClose(weights, [9 / 4, -3 / 4]);
    expectClose(bias, [2 * 3 - 9 / 4 + (2 * 3) / 4]);
  });

  it('without: by second moments', () => {
    // C + m m' = [3 3; 3 6], the diagonal's mean 4.5, so [4 3; 3 7] X = [6; 6] 2
    const { weights, bias } = refit(2 / 9, false, moments);
    expectClose(weights, [48 / 19, 12 / 19]);
    expect(bias).toBeUndefined();
  });

  it('at two positions: by covariances around the mean of each', () => {
    // half of the distance between the positions' means, squared, is taken off: 1, 1 and 4 of the variances
    const { weights, bias } = refit(0.5, true, {
      units: 3,
      positions: 2,
      means: Float32Array.of(0, 3, 5, 2, 1, 1),
      covariances: Float32Array.of(3, 0, 1, 0, 3, 2, 1, 2, 13),
    });
    // some 1e-5 of what is taken off is left as rounding
    expectClose(weights, [9 / 4, 9 / 4, -3 / 4, -3 / 4], 4);
    expectClose(bias, [2 * 5 + (3 * 3) / 4 + 2 * 1 - (2 * 9) / 4 + 3 / 4], 4);
  });

  it('each output by statistics of its own', () => {
    const apart: Moments = { ...moments, covariances: Float32Array.of(2, 0, 0, 0, 2, 3, 0, 3, 9) };
    const { weights, bias } = leastSquares({ ridge: 0.5 }).refit!({
      removed: [2],
      survivors: [0, 1],
      moments: [moments, apart],
      weights: Float64Array.of(5, 6, 7, 8, 2, 4),
      outputs: Int32Array.of(0, 1),
      hasBias: true,
    });
    // (C + 1 I) = 3 I for the second, times [0; 3] 4
    expectClose(weights, [9 / 4, 0, -3 / 4, 4]);
    expectClose(bias, [2 * 3 - 9 / 4 + (2 * 3) / 4, 4 * 3 - 2 * 4]);
  });
});

it('fits as many outputs as a large vocabulary has', () => {
  const words = 200_000;
  const { bias } = leastSquares().refit!({
    removed: [2],
    survivors: [0, 1],
    moments: [moments],
    weights: new Float64Array(3 * words).fill(1),
    outputs: Int32Array.from({ length: words }, (_, word) => word),
    hasBias: true,
  });
  expect(bias).toHaveLength(words);
});

describe('units that say nothing', () => {
  it('survivors that never vary take over nothing but means', () => {
    const still = { ...moments, covariances: Float32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 9) };
    const { weights, bias } = refit(1e-4, true, still);
    expectClose(weights, [0, 0]);
    expectClose(bias, [6]);
  });

  it('nor do those that are 0 everywhere, or are not there', () => {
    const dead = { ...moments, means: Float32Array.of(0, 0, 3), covariances: new Float32Array(9) };
    expect(refit(1e-4, true, dead)).toEqual({ weights: new Float64Array(2), bias: Float64Array.of(6) });
    const alone = { removed: [2], survivors: [], moments: [moments], hasBias: true };
    const weights = Float64Array.of(5, 7, 2);
    expect(leastSquares().refit!({ ...alone, weights, outputs: Int32Array.of(0) })).toEqual({
      weights: new Float64Array(0),
      bias: Float64Array.of(6),
    });
  });

  it('units that vary by their positions alone are fitted all the same', () => {
    const positions = 50;
    const wave = (unit: number, position: number) => 1000 + Math.sin(unit * position);
    const means = Float32Array.from({ length: positions * 3 }, (_, i) =>
      wave(1 + (i % 3), Math.floor(i / 3)),
    );
    const overall = [0, 1, 2].map(
      (unit) => means.filter((_, i) => i % 3 === unit).reduce((a, b) => a + b) / 50,
    );
    const covariances = Float32Array.from({ length: 9 }, (_, i) => {
      const [a, b] = [Math.floor(i / 3), i % 3];
      let sum = 0;
      for (let p = 0; p < positions; p++)
        sum += (means[p * 3 + a]! - overall[a]!) * (means[p * 3 + b]! - overall[b]!);
      return sum / positions;
    });
    const { weights, bias } = refit(1e-4, true, { units: 3, positions, means, covariances });
    const sumOf = (unit: number, factor: (position: number) => number) =>
      Array.from({ length: positions }, (_, p) => factor(p) * means[p * 3 + unit]!).reduce((a, b) => a + b);
    const guess = sumOf(0, (p) => weights[p]!) + sumOf(1, (p) => weights[positions + p]!) + bias![0]!;
    expect(guess).toBeCloseTo(
      sumOf(2, () => 2),
      1,
    );
  });
});

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a ridge of %s', (ridge) => {
  expect(() => leastSquares({ ridge })).toThrow('[core] leastSquares needs a ridge above 0');
});

describe('a model', () => {
  const dense = (units: number, name: string, useBias = true) => layers.dense({ units, name, useBias });
  const on = (layer: layers.Layer, ...tensors: SymbolicTensor[]) =>
    layer.apply(tensors.length === 1 ? tensors[0]! : tensors) as SymbolicTensor;

  /** Five units of which any two are made by the others: they see three numbers. */
  const changeOf = async (model: LayersModel, scope: readonly string[]) => {
    liven(model, 3);
    const x = examples(model, 20, 2);
    const options = { pruner: scores(9, 0, 9, 0, 9), budget: { count: 2 }, scope, data: { x, batchSize: 7 } };
    const made = await plan(model, { ...options, compensation: leastSquares({ ridge: 1e-7 }) });
    const lost = await shrink(model, await plan(model, { ...options, compensation: none() }));
    expect(difference(outputsOf(model, x), outputsOf(lost, x))).toBeGreaterThan(1e-2);
    return { change: difference(outputsOf(model, x), outputsOf(await shrink(model, made), x)), made };
  };

  it('with a shared consumer is refitted once, to all that it reads', async () => {
    const [left, right] = [input({ shape: [3] }), input({ shape: [3] })];
    const [units, shared] = [dense(5, 'units'), dense(4, 'shared')];
    const outputs = [left, right].map((side) => on(shared, on(units, side)));
    const { change, made } = await changeOf(modelOf({ inputs: [left, right], outputs }), ['units']);
    expect(made.refits).toHaveLength(1);
    expect(change).toBeLessThan(1e-5);
  });

  it('with two groups side by side is refitted once for both', async () => {
    const source = input({ shape: [3] });
    const joined = on(layers.concatenate(), on(dense(5, 'a'), source), on(dense(5, 'b'), source));
    const model = modelOf({ inputs: source, outputs: on(dense(4, 'out'), joined) });
    const { change, made } = await changeOf(model, ['a', 'b']);
    expect(made.refits).toMatchObject([{ layer: 'out', entries: [0, 2, 4, 5, 7, 9] }]);
    expect(change).toBeLessThan(1e-5);
  });

  it('with groups side by side takes over from one group to another', async () => {
    const source = input({ shape: [3] });
    // b's units are a's, doubled: what goes of a is all in b
    const [a, b] = [on(dense(3, 'a'), source), on(dense(3, 'b'), source)];
    const model = modelOf({ inputs: source, outputs: on(dense(4, 'out'), on(layers.concatenate(), a, b)) });
    liven(model, 3);
    model.getLayer('b').setWeights(
      model
        .getLayer('a')
        .getWeights()
        .map((weight) => tf.mul(weight, 2)),
    );
    const x = examples(model, 20, 2);
    const options = { pruner: scores(0, 0, 9), budget: { count: { a: 2 } }, scope: ['a', 'b'], data: { x } };
    const made = await plan(model, { ...options, compensation: leastSquares({ ridge: 1e-7 }) });
    expect(made.groups).toMatchObject([{ id: 'a', remove: [0, 1] }]);
    expect(difference(outputsOf(model, x), outputsOf(await shrink(model, made), x))).toBeLessThan(1e-5);
  });

  it('with several consumers, behind other layers each, is refitted at each', async () => {
    const source = input({ shape: [3] });
    const units = on(dense(5, 'units'), source);
    const scaled = on(layers.batchNormalization({ name: 'scaled' }), units);
    const outputs = [on(dense(4, 'one'), units), on(dense(4, 'two'), scaled)];
    const { change, made } = await changeOf(modelOf({ inputs: source, outputs }), ['units']);
    expect(made.refits!.map(({ layer }) => layer)).toEqual(['one', 'two']);
    expect(made.refits![0]!.kernel).not.toEqual(made.refits![1]!.kernel);
    expect(change).toBeLessThan(1e-5);
  });

  it('is refitted once, however often its plan is carried out', async () => {
    const model = sequential({
      layers: [
        layers.dense({ units: 5, inputShape: [3], activation: 'tanh', name: 'units' }),
        dense(2, 'out'),
      ],
    });
    liven(model, 3);
    const x = examples(model, 20, 2);
    const options = { pruner: scores(0, 9, 0, 9, 9), data: { x }, compensation: leastSquares() };
    const made = await plan(model, { ...options, budget: { count: 2 } });
    const small = outputsOf(await shrink(model, made), x);
    const before = outputsOf(model, x);
    expect(difference(before, outputsOf(await mask(model, made), x))).toBeGreaterThan(1e-3);
    expect(difference(small, outputsOf(await mask(model, made), x))).toBeLessThan(1e-5);
    expect(difference(small, outputsOf(await shrink(model, made), x))).toBeLessThan(1e-5);
    // nobody knows of a copy that it was masked; its weights say so
    const copy = await reloaded(model);
    expect(difference(small, outputsOf(await shrink(copy, made), x))).toBeLessThan(1e-5);
    // what an unheld training brings back goes again, and no more
    const out = model.getLayer('out');
    out.setWeights(out.getWeights().map((weight) => tf.add(weight, 0.1)));
    const grown = out.getWeights()[0]!.arraySync() as number[][];
    await mask(model, made);
    expect(out.getWeights()[0]!.arraySync()).toEqual(
      grown.map((row, unit) => (unit === 0 || unit === 2 ? [0, 0] : row)),
    );
    const further = await plan(model, { ...options, budget: { count: 3 } });
    expect(further.refits).toHaveLength(1);
    expect(
      difference(outputsOf(await shrink(model, further), x), outputsOf(await mask(model, further), x)),
    ).toBeLessThan(1e-5);
  });

  it('is not refitted where what goes is not a number', async () => {
    const model = sequential({
      layers: [layers.dense({ units: 3, inputShape: [2], name: 'units' }), dense(2, 'out')],
    });
    const units = model.getLayer('units');
    units.setWeights([units.getWeights()[0]!, tf.tensor1d([Number.NaN, 0, 0])]);
    const options = { pruner: scores(0, 9, 9), budget: { count: 1 }, data: { x: examples(model, 9, 1) } };
    for (const weighted of [false, true]) {
      const compensation = leastSquares({ weighted });
      await expect(plan(model, { ...options, compensation })).rejects.toThrow('look for NaN');
    }
  });

  it('is never worse off than with means, on the data that it is fitted to', { tags: ['slow'] }, async () => {
    const described = fc.record({
      units: fc.integer({ min: 2, max: 9 }),
      rows: fc.integer({ min: 1, max: 30 }),
      removed: fc.integer({ min: 1, max: 8 }),
      ridge: fc.constantFrom(1e-5, 1e-4, 1e-2, 1, 100),
      useBias: fc.boolean(),
      seed: fc.nat(1000),
    });
    await fc.assert(
      fc.asyncProperty(described, async ({ units, rows, removed, ridge, useBias, seed }) => {
        const model = sequential({
          layers: [
            layers.dense({ units, inputShape: [3], activation: 'tanh', name: 'units' }),
            dense(3, 'out', useBias),
          ],
        });
        liven(model, seed);
        const x = examples(model, rows, seed);
        const error = async (compensation: Compensation) => {
          const budget = { count: Math.min(removed, units - 1) };
          const made = await plan(model, {
            pruner: scores(),
            budget,
            compensation,
            data: { x },
            scope: ['units'],
          });
          const small = await shrink(model, made);
          const [wanted, found] = [outputsOf(model, x), outputsOf(small, x)].map(([y]) => Array.from(y!));
          small.dispose();
          return wanted!.reduce((sum, value, i) => sum + (value - found![i]!) ** 2, 0);
        };
        const plain = await error(useBias ? foldMean() : none());
        expect(await error(leastSquares({ ridge }))).toBeLessThanOrEqual(plain * (1 + 1e-4) + 1e-9);
        model.dispose();
        tf.dispose(x);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('leaves no tensor behind', async () => {
    const model = sequential({
      layers: [layers.dense({ units: 5, inputShape: [3], name: 'units' }), dense(2, 'out')],
    });
    const x = examples(model, 6, 1);
    const before = tf.memory().numTensors;
    await plan(model, { pruner: scores(), budget: { count: 2 }, compensation: leastSquares(), data: { x } });
    expect(tf.memory().numTensors).toBe(before);
  });
});
