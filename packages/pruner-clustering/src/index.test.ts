import '@tensorflow/tfjs-backend-cpu';
import { mask, plan, shrink } from '@espalier/core';
import { batch, judge, testPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eliminate } from './eliminate.ts';
import { clustering } from './index.ts';
import { kMeans } from './k-means.ts';
import { distance, meansOf, type Points, pick } from './points.ts';

const pointsOf = (rows: readonly (readonly number[])[]): Points => ({
  values: Float64Array.from(rows.flat()),
  count: rows.length,
  size: rows[0]!.length,
});

/** What `measure` hands on: a draw before each unit's weights. */
const numbersOf = (rows: readonly (readonly number[])[], draw = 0.5) =>
  Float32Array.from(rows.flatMap((row) => [draw, ...row]));

const staying = (rows: readonly (readonly number[])[], leaving: number, draw?: number): number[] =>
  eliminate(numbersOf(rows, draw), rows.length, leaving)
    .slice(leaving)
    .map(({ unit }) => unit)
    .sort((a, b) => a - b);

/** Units with one weight each. Their mean is 45 / 7. */
const line = [[0], [1], [2], [9], [10], [11], [12]];

describe('clustering', () => {
  testPruner(clustering, { equivariant: false });

  it('keeps the one nearest the centre of each cluster, whoever comes first', () => {
    for (const draw of [0, 0.3, 0.6, 0.99]) {
      // the means are 1 and 10.5, which 10 and 11 are equally near
      expect(staying(line, 5, draw)).toEqual([1, 4]);
      // 9 is nearest to the mean of all: clusters for one k are no parts of those for another
      expect(staying(line, 6, draw)).toEqual([3]);
    }
  });

  it('lets those go first that are most like what stays for them, by the spread of all', () => {
    const order = eliminate(numbersOf([[0], [1], [-3], [100], [101], [104]]), 6, 4);
    // for 0 and 101 stand ...
    expect(order.slice(0, 4).map(({ unit }) => unit)).toEqual([1, 3, 2, 5]);
    const values = [0, 1, -3, 100, 101, 104];
    const mean = values.reduce((a, b) => a + b) / 6;
    const spread = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 6;
    [1, 1, 9, 9].forEach((squared, i) => {
      expect(order[i]!.score).toBeCloseTo(squared / spread, 10);
    });
  });

  it('halves again and again where nobody says how many go', () => {
    const units = eliminate(numbersOf([[0], [0.1], [5], [5.1], [20], [20.1], [26], [26.1]]), 8).map(
      ({ unit }) => unit,
    );
    const pairs = (some: readonly number[]) => some.map((unit) => Math.floor(unit / 2)).sort();
    // one of each pair, then one of two pairs that lie together
    expect(pairs(units.slice(0, 4))).toEqual([0, 1, 2, 3]);
    expect(pairs(units.slice(4, 6).map((unit) => Math.floor(unit / 2)))).toEqual([0, 1]);
  });

  it('scores copies 0, and keeps as many as should stay though there are fewer clusters', async () => {
    const order = eliminate(
      numbersOf([
        [1, 2],
        [1, 2],
        [1, 2],
        [7, 7],
      ]),
      4,
      1,
    );
    expect(order[0]!.score).toBe(0);
    expect(order[0]!.unit).not.toBe(3);
    const all = eliminate(numbersOf([[3], [3], [3]]), 3, 1);
    expect(all.map(({ score }) => score)).toEqual([0, 0, 0]);
    expect(new Set(all.map(({ unit }) => unit)).size).toBe(3);
  });

  it('draws by the seed and the group', async () => {
    const incoming = [Array.from({ length: 40 }, (_, i) => Math.sin(i * i))];
    const units = async (seed: number, group: string) =>
      (await judge(clustering({ seed }), [batch({ incoming, group })])).map(({ unit }) => unit);
    expect(await units(1, 'a')).toEqual(await units(1, 'a'));
    expect(await units(1, 'a')).not.toEqual(await units(2, 'a'));
    expect(await units(1, 'a')).not.toEqual(await units(1, 'b'));
  });

  it('refuses a seed that is no whole number', () => {
    expect(() => clustering({ seed: 0.5 })).toThrow(
      '[pruner-clustering] seed must be a whole number, got 0.5',
    );
  });
});

describe('k-means', () => {
  const rows = fc.array(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 2, maxLength: 2 }), {
    minLength: 2,
    maxLength: 24,
  });
  const draws = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 24, maxLength: 24 });

  const usualDraws = fc.array(fc.double({ min: 0.001, max: 0.999, noNaN: true }), {
    minLength: 3,
    maxLength: 3,
  });

  it('ends where every point is nearest to the mean of its own cluster', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 8 }), draws, (given, wanted, numbers) => {
        const points = pointsOf(given);
        const k = Math.min(wanted, points.count);
        const { clusterOf, distances } = kMeans(points, k, numbers);
        const means = meansOf(points, clusterOf, pick(points, new Array(k).fill(0)));
        const used = new Set(clusterOf);
        given.forEach((_, i) => {
          const own = distance(points, i, means, clusterOf[i]!);
          expect(distances[i]).toBeCloseTo(own, 8);
          for (const other of used) expect(own).toBeLessThanOrEqual(distance(points, i, means, other) + 1e-9);
        });
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('finds clusters that lie well apart, unless a draw is one in many thousands', () => {
    fc.assert(
      fc.property(usualDraws, (numbers) => {
        const points = pointsOf(
          [0, 1000, 2000].flatMap((at) => [
            [at, 0],
            [at + 1, 0],
            [at, 1],
          ]),
        );
        const { clusterOf } = kMeans(points, 3, numbers);
        for (const at of [0, 3, 6]) expect(new Set(clusterOf.slice(at, at + 3)).size).toBe(1);
        expect(new Set(clusterOf).size).toBe(3);
      }),
      { numRuns: 100, seed: 1 },
    );
  });
});

describe('clustering in core', () => {
  /** Seven filters with the weights of `line`. */
  const model = (): LayersModel => {
    const made = sequential();
    made.add(layers.conv2d({ filters: 7, kernelSize: 1, inputShape: [3, 3, 1], name: 'conv' }));
    made.add(layers.flatten({ name: 'flat' }));
    made.add(layers.dense({ units: 4, name: 'out' }));
    const [, bias] = made.getLayer('conv').getWeights();
    made.getLayer('conv').setWeights([tf.tensor4d([[[line.flat()]]]), bias!]);
    return made;
  };

  it('makes as many clusters as a budget leaves units', async () => {
    const whole = model();
    const stays = async (count: number) => {
      const { groups } = await plan(whole, { pruner: clustering(), budget: { count } });
      return [0, 1, 2, 3, 4, 5, 6].filter((unit) => !groups[0]!.remove.includes(unit));
    };
    expect(await stays(5)).toEqual([1, 4]);
    expect(await stays(6)).toEqual([3]);
  });

  it('goes on from what was masked, and the masked and the smaller model agree', async () => {
    const whole = model();
    await mask(whole, await plan(whole, { pruner: clustering(), budget: { count: 2 } }));
    const found = await plan(whole, { pruner: clustering(), budget: { count: 5 } });
    expect(found.groups[0]!.remove).toHaveLength(5);
    const small = await shrink(whole, found);
    await mask(whole, found);
    const x = tf.randomNormal([5, 3, 3, 1], 0, 1, 'float32', 1);
    const [masked, smaller] = [whole, small].map((one) => (one.predict(x) as tf.Tensor).dataSync());
    for (const [i, value] of smaller!.entries()) expect(value).toBeCloseTo(masked![i]!, 5);
  });

  it('says where it has nothing to go by', async () => {
    await expect(
      plan(model(), { pruner: clustering(), scope: ['flat'], budget: { count: 1 } }),
    ).rejects.toThrow("[clustering] measure threw: the units of group 'flat' have no incoming weights");
  });
});
