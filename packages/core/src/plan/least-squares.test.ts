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
import { shrink } from '../surgery/shrink.ts';
import { examples, liven } from '../test-models/build.ts';
import { difference, outputsOf } from '../test-models/compare.ts';
import { scores } from '../test-models/pruners.ts';
import { type Compensation, foldMean, none } from './compensation.ts';
import { leastSquares } from './least-squares.ts';
import { plan } from './plan.ts';

/** Units 0 and 1 stay, unit 2 goes. */
const fold = (ridge: number, hasBias: boolean, moments: Moments) =>
  leastSquares({ ridge }).fold!({
    proposals: [{ unit: 2, score: 0 }],
    survivors: [0, 1],
    moments,
    hasBias,
  })[0]!;

const moments: Moments = {
  units: 3,
  positions: 1,
  means: Float32Array.of(1, 2, 3),
  covariances: Float32Array.of(2, 1, 3, 1, 2, 0, 3, 0, 9),
};

const expectFactors = (folded: ReturnType<typeof fold>, expected: readonly number[], digits = 6) => {
  expect(folded.into.map(([unit]) => unit)).toEqual([0, 1]);
  folded.into.forEach(([, factor], i) => {
    expect(factor).toBeCloseTo(expected[i]!, digits);
  });
};

describe('a 2 x 2 system solved by hand', () => {
  it('with a bias: by covariances', () => {
    // the variances' mean is 2, so (C + 1 I) = [3 1; 1 3], its inverse [3 -1; -1 3] / 8, times [3; 0]
    const folded = fold(0.5, true, moments);
    expectFactors(folded, [9 / 8, -3 / 8]);
    expect(folded.constants).toHaveLength(1);
    expect(folded.constants![0]).toBeCloseTo(3 - 9 / 8 + (2 * 3) / 8, 6);
  });

  it('without: by second moments', () => {
    // C + m m' = [3 3; 3 6], the diagonal's mean 4.5, so [4 3; 3 7] X = [6; 6]
    const folded = fold(2 / 9, false, moments);
    expectFactors(folded, [24 / 19, 6 / 19]);
    expect(folded.constants).toBeUndefined();
  });

  it('at two positions: by covariances around the mean of each', () => {
    // half of the distance between the positions' means, squared, is taken off: 1, 1 and 4 of the variances
    const folded = fold(0.5, true, {
      units: 3,
      positions: 2,
      means: Float32Array.of(0, 3, 5, 2, 1, 1),
      covariances: Float32Array.of(3, 0, 1, 0, 3, 2, 1, 2, 13),
    });
    // some 1e-5 of what is taken off is left as rounding
    expectFactors(folded, [9 / 8, -3 / 8], 4);
    expect(folded.constants![0]).toBeCloseTo(5 + (3 * 3) / 8, 4);
    expect(folded.constants![1]).toBeCloseTo(1 - (2 * 9) / 8 + 3 / 8, 4);
  });
});

describe('units that say nothing', () => {
  it('survivors that never vary take over nothing but means', () => {
    const folded = fold(1e-4, true, { ...moments, covariances: Float32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 9) });
    expect(folded.constants![0]).toBeCloseTo(3, 6);
    for (const [, factor] of folded.into) expect(factor).toBeCloseTo(0, 6);
  });

  it('nor do those that are 0 everywhere, or are not there', () => {
    const dead = { ...moments, means: Float32Array.of(0, 0, 3), covariances: new Float32Array(9) };
    expect(fold(1e-4, true, dead)).toEqual({ unit: 2, into: [], constants: [3] });
    const alone = { proposals: [{ unit: 2, score: 0 }], survivors: [], moments, hasBias: true };
    expect(leastSquares().fold!(alone)).toEqual([{ unit: 2, into: [], constants: [3] }]);
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
    const folded = fold(1e-4, true, { units: 3, positions, means, covariances });
    folded.constants!.forEach((constant, p) => {
      const guess = folded.into.reduce(
        (sum, [unit, factor]) => sum + factor * means[p * 3 + unit]!,
        constant,
      );
      expect(guess).toBeCloseTo(means[p * 3 + 2]!, 3);
    });
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
    expect(made.folds).toHaveLength(1);
    expect(change).toBeLessThan(1e-5);
  });

  it('with two groups side by side is refitted for both', async () => {
    const source = input({ shape: [3] });
    const joined = on(layers.concatenate(), on(dense(5, 'a'), source), on(dense(5, 'b'), source));
    const model = modelOf({ inputs: source, outputs: on(dense(4, 'out'), joined) });
    const { change, made } = await changeOf(model, ['a', 'b']);
    expect(made.folds.map(({ group, layer }) => [group, layer])).toEqual([
      ['a', 'out'],
      ['b', 'out'],
    ]);
    expect(change).toBeLessThan(1e-5);
  });

  it('with several consumers, behind other layers each, is refitted at each', async () => {
    const source = input({ shape: [3] });
    const units = on(dense(5, 'units'), source);
    const scaled = on(layers.batchNormalization({ name: 'scaled' }), units);
    const outputs = [on(dense(4, 'one'), units), on(dense(4, 'two'), scaled)];
    const { change, made } = await changeOf(modelOf({ inputs: source, outputs }), ['units']);
    expect(made.folds.map(({ layer }) => layer)).toEqual(['one', 'two']);
    expect(made.folds[0]!.units).not.toEqual(made.folds[1]!.units);
    expect(change).toBeLessThan(1e-5);
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
