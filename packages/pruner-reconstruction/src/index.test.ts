import '@tensorflow/tfjs-backend-cpu';
import { leastSquares, mask, none, type PairPruner, plan, shrink } from '@espalier/core';
import { batch, judge, testPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eliminate, type Known } from './eliminate.ts';
import { reconstruction } from './index.ts';

/** Rows of `units` random numbers, by a seed. */
const random = (rows: number, units: number, seed: number): number[][] =>
  tf.tidy(() => tf.randomNormal([rows, units], 0, 1, 'float32', seed).arraySync() as number[][]);

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

function knownOf(activations: readonly number[][], outgoing: readonly number[][]): Known {
  const columns = outgoing.map((_, unit) => {
    const column = activations.map((row) => row[unit]!);
    const mean = column.reduce((a, b) => a + b) / column.length;
    return column.map((value) => value - mean);
  });
  const pairs = (vectors: readonly number[][], by: number) =>
    vectors.map((a) => vectors.map((b) => dot(a, b) / by));
  return {
    covariances: Float64Array.from(pairs(columns, activations.length).flat()),
    weights: Float64Array.from(pairs(outgoing, 1).flat()),
  };
}

describe('reconstruction', () => {
  testPruner(reconstruction);

  it('takes uncorrelated units by variance times squared outgoing weights', async () => {
    // variances 1, 4, 1 and no covariances; squared weights 4, 0.5, 1: costs 4, 2 and 1 of 7
    const activations = [
      [1, 2, 1],
      [1, -2, -1],
      [-1, 2, -1],
      [-1, -2, 1],
    ];
    const outgoing = [
      [2, 0],
      [0.5, 0.5],
      [0, -1],
    ];
    const judgement = await judge(reconstruction({ ridge: 1e-9 }), [batch({ activations, outgoing })]);
    expect(judgement.map(({ unit }) => unit)).toEqual([2, 1, 0]);
    [1 / 7, 3 / 7, 1].forEach((share, i) => {
      expect(judgement[i]!.score).toBeCloseTo(share, 5);
    });
  });

  it('weighs what is left anew after each: two alike, worked by hand', async () => {
    // units 0 and 1 are alike, with weights 3 and 4: without one the other has 7; unit 2 has 5
    const activations = [
      [1, 1, 1],
      [1, 1, -1],
      [-1, -1, 1],
      [-1, -1, -1],
    ];
    const outgoing = [[3], [4], [5]];
    const judgement = await judge(reconstruction({ ridge: 1e-9 }), [batch({ activations, outgoing })]);
    expect(new Set([judgement[0]!.unit, judgement[1]!.unit, judgement[2]!.unit])).toEqual(new Set([0, 1, 2]));
    expect(judgement[0]!.unit).not.toBe(2);
    expect(judgement[0]!.score).toBeCloseTo(0, 5);
    expect(judgement[1]).toMatchObject({ unit: 2 });
    expect(judgement[1]!.score).toBeCloseTo(25 / (25 + 49), 5);
    expect(judgement[2]!.score).toBeCloseTo(1, 5);
  });

  it('weighs the ridge as leastSquares does: one unit of two, solved by hand', () => {
    // A = [2 1; 1 2] + 1, w = [1; 2]: (A^-1) = [3 -1; -1 3] / 8, so unit 0 costs 1 / (3 / 8), unit 1 four times that
    const [first, last] = eliminate(
      { covariances: Float64Array.of(2, 1, 1, 2), weights: Float64Array.of(1, 2, 2, 4) },
      2,
      0.5,
    );
    const all = 3 + 2 * 2 + 3 * 4;
    expect(first).toMatchObject({ unit: 0 });
    expect(first!.score).toBeCloseTo(8 / 3 / all, 12);
    expect(last).toMatchObject({ unit: 1, score: 1 });
  });

  it('agrees with a fit from scratch at every step, and takes the least each time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(1000),
        (units, readers, seed) => {
          const known = knownOf(random(20, units, seed), random(units, readers, seed + 1));
          const order = eliminate(known, units, 1e-2);
          order.forEach(({ unit, score }, step) => {
            const gone = order.slice(0, step).map((one) => one.unit);
            expect(score).toBeCloseTo(lossWithout(known, units, [...gone, unit], 1e-2), 8);
            for (const other of order.slice(step)) {
              expect(lossWithout(known, units, [...gone, other.unit], 1e-2)).toBeGreaterThan(score - 1e-8);
            }
          });
        },
      ),
      { numRuns: 50, seed: 1 },
    );
  });

  it('takes units that others make up first, and leastSquares changes nothing without them', async () => {
    const drawn = (seed: number) => initializers.glorotUniform({ seed });
    const model = sequential({
      layers: [
        layers.dense({ units: 9, inputShape: [4], kernelInitializer: drawn(3), name: 'units' }),
        layers.dense({ units: 3, kernelInitializer: drawn(4), name: 'out' }),
      ],
    });
    const x = tf.randomNormal([40, 4], 0, 1, 'float32', 2);
    const pruner = reconstruction({ ridge: 1e-6 });
    const options = { pruner, compensation: leastSquares({ ridge: 1e-6 }), data: { x } };
    // nine units see four numbers
    const made = await plan(model, { ...options, budget: { threshold: 1e-4 } });
    expect(made.groups).toMatchObject([{ id: 'units', remove: { length: 5 } }]);
    const [before, small] = [model.predict(x) as tf.Tensor, await shrink(model, made)];
    const after = small.predict(x) as tf.Tensor;
    const masked = (await mask(model, made)).predict(x) as tf.Tensor;
    for (const other of [after, masked]) {
      expect(tf.max(tf.abs(tf.sub(before, other))).dataSync()[0]).toBeLessThan(1e-4);
    }
  });

  it('is compensated by least squares with its own ridge, unless a plan says otherwise', async () => {
    const model = sequential({
      layers: [
        layers.dense({ units: 4, inputShape: [3], name: 'units' }),
        layers.dense({ units: 2, name: 'out' }),
      ],
    });
    const options = { budget: { count: 1 }, data: { x: tf.randomNormal([20, 3], 0, 1, 'float32', 1) } };
    const pruner = reconstruction({ ridge: 0.5 });
    const made = await plan(model, { pruner, ...options });
    expect(made.compensation).toBe('least-squares');
    const told = await plan(model, { pruner, ...options, compensation: leastSquares({ ridge: 0.5 }) });
    expect(made.refits).toEqual(told.refits);
    const other = await plan(model, { pruner, ...options, compensation: leastSquares() });
    expect(made.refits).not.toEqual(other.refits);
    expect(await plan(model, { pruner, ...options, compensation: none() })).not.toHaveProperty('refits');
  });

  describe('among pairs', () => {
    /** Units of which each two are a pair whose entry is 1; those with 9 on the diagonal are dead. */
    const like = (...rows: readonly (readonly number[])[]): PairPruner => ({
      name: 'like',
      compare: () => tf.tensor2d(rows.map((row) => [...row])),
      propose: (matrix, units) => {
        const dead = Array.from({ length: units }, (_, unit) => unit).filter(
          (unit) => matrix[unit * units + unit] === 9,
        );
        if (dead.length > 0) return dead.map((unit) => ({ unit, score: 0 }));
        return matrix[1] === 1 ? [{ unit: 0, into: 1, score: 1 }] : [];
      },
    });
    // uncorrelated, and the costs are 1, 4, 9 and 16
    const activations = [
      [1, 1, 1, 1],
      [1, -1, 1, -1],
      [1, 1, -1, -1],
      [1, -1, -1, 1],
      [-1, 1, 1, -1],
      [-1, -1, 1, 1],
      [-1, 1, -1, 1],
      [-1, -1, -1, -1],
    ];
    const outgoing = [[1], [2], [3], [4]];
    it('shows the pairs each batch by itself unless they pool', () => {
      const rows = like([0, 1], [1, 0]);
      expect(reconstruction({ among: rows }).pools).toBe(false);
      expect(reconstruction({ among: { ...rows, pools: true } }).pools).toBe(true);
    });

    const orderAmong = async (among: PairPruner) => {
      const judgement = await judge(reconstruction({ among, ridge: 1e-9 }), [
        batch({ activations, outgoing }),
      ]);
      return judgement.map(({ unit }) => unit);
    };

    it('a unit goes only while one that is like it stays, and the last of them has to', async () => {
      // a chain 0 - 1 - 2, and 3 alone: 0 goes for 1, which then must stay; 2 goes for it, too
      expect(await orderAmong(like([0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]))).toEqual([0, 2]);
    });

    it('of several that are like each other all but one go, the cheapest first', async () => {
      expect(await orderAmong(like([0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]))).toEqual([0, 1]);
    });

    it('a dead unit goes for nobody', async () => {
      expect(await orderAmong(like([0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 9]))).toEqual([0, 3]);
    });
  });

  it('forgets an epoch when the next begins', async () => {
    const outgoing = [[1], [1]];
    const [old, now] = [
      batch({
        activations: [
          [9, 1],
          [-9, -1],
        ],
        outgoing,
      }),
      batch({
        activations: [
          [1, 9],
          [-1, 9],
        ],
        outgoing,
      }),
    ];
    expect((await judge(reconstruction(), [old], [now]))[0]).toMatchObject({ unit: 1 });
  });

  it('refuses to judge before it has seen a pattern', () => {
    const pruner = reconstruction();
    expect(() => pruner.measure(batch(), pruner.init!(6))).toThrow('no pattern has been seen');
  });

  it.each([0, -1, Number.NaN])('refuses a ridge of %s', (ridge) => {
    expect(() => reconstruction({ ridge })).toThrow('[pruner-reconstruction] ridge must be above 0');
  });

  it('refuses to go by what is no pruner of pairs', () => {
    const scores = { name: 'scores', score: () => tf.zeros([1]) } as unknown as PairPruner;
    expect(() => reconstruction({ among: scores })).toThrow(
      '[pruner-reconstruction] among must be a pruner of pairs',
    );
  });

  it('takes 320 units away in less than a second', { tags: ['slow'] }, () => {
    const known = knownOf(random(400, 320, 1), random(320, 10, 2));
    const times = Array.from({ length: 3 }, () => {
      const start = performance.now();
      eliminate(known, 320, 1e-4);
      return performance.now() - start;
    });
    // the best of three: others may use the machine, too
    expect(Math.min(...times)).toBeLessThan(1000);
  });
});

/** What `eliminate` should say is lost without some units: the survivors' weights by Gauss and Jordan. */
function lossWithout(known: Known, units: number, gone: readonly number[], ridge: number): number {
  const at = (row: number, column: number) => known.covariances[row * units + column]!;
  const all = Array.from({ length: units }, (_, unit) => unit);
  const added = (ridge * all.reduce((sum, unit) => sum + at(unit, unit), 0)) / units;
  const gram = (i: number, j: number) => at(i, j) + (i === j ? added : 0);
  const left = all.filter((unit) => !gone.includes(unit));
  const rows = left.map((i) => [...left.map((j) => gram(i, j)), ...gone.map((j) => gram(i, j))]);
  for (const [k, pivot] of rows.entries()) {
    const by = pivot[k]!;
    for (const [c, value] of pivot.entries()) pivot[c] = value / by;
    for (const row of rows) {
      const factor = row[k]!;
      if (row !== pivot) for (const [c, value] of pivot.entries()) row[c] = row[c]! - factor * value;
    }
  }
  // the Schur complement of the survivors, between the weights of those that went
  const rest = (a: number, b: number) =>
    gram(gone[a]!, gone[b]!) -
    left.reduce((sum, unit, s) => sum + gram(gone[a]!, unit) * rows[s]![left.length + b]!, 0);
  let [lost, total] = [0, 0];
  for (const [a, i] of gone.entries())
    for (const [b, j] of gone.entries()) lost += rest(a, b) * known.weights[i * units + j]!;
  for (const i of all) for (const j of all) total += gram(i, j) * known.weights[i * units + j]!;
  return lost / total;
}
