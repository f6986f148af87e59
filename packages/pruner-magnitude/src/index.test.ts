import '@tensorflow/tfjs-backend-cpu';
import { plan, shrink } from '@espalier/core';
import { batch, judge, testPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { geometricMedian, magnitude, slimming } from './index.ts';

/** Columns (units) with absolute sums 7, 6, 4 and lengths 5, 6, about 2.8. */
const incoming = [
  [3, 6, -2],
  [-4, 0, 2],
];

describe('magnitude', () => {
  testPruner(magnitude);

  it('sums the absolute incoming weights', async () => {
    expect(await judge(magnitude(), [batch({ incoming })])).toEqual([
      { unit: 2, score: 4 },
      { unit: 1, score: 6 },
      { unit: 0, score: 7 },
    ]);
  });

  it('refuses what it does not know', () => {
    expect(() => magnitude({ norm: 'l3' as 'l2' })).toThrow("norm must be 'l1' or 'l2', got 'l3'");
    expect(() => magnitude({ of: 'both' as 'incoming' })).toThrow("'incoming' or 'outgoing', got 'both'");
  });
});

describe('magnitude by length, outgoing', () => {
  testPruner(() => magnitude({ norm: 'l2', of: 'outgoing' }));

  it('is the length of a column, or of a row of outgoing weights', async () => {
    const [last, first, second] = await judge(magnitude({ norm: 'l2' }), [batch({ incoming })]);
    expect([first, second]).toEqual([
      { unit: 0, score: 5 },
      { unit: 1, score: 6 },
    ]);
    expect(last!.score).toBeCloseTo(Math.sqrt(8), 6);
    const outgoing = [
      [0, 1],
      [-3, 4],
    ];
    expect(await judge(magnitude({ norm: 'l2', of: 'outgoing' }), [batch({ outgoing })])).toEqual([
      { unit: 0, score: 1 },
      { unit: 1, score: 5 },
    ]);
  });
});

describe('slimming', () => {
  testPruner(slimming);

  it('is the absolute scale, the mean where there are several', async () => {
    const scales = [
      [1, -0.5, 0],
      [2, -0.5, 1],
    ];
    expect(await judge(slimming(), [batch({ scales })])).toEqual([
      { unit: 1, score: 0.5 },
      { unit: 2, score: 0.5 },
      { unit: 0, score: 1.5 },
    ]);
  });
});

describe('geometricMedian', () => {
  testPruner(geometricMedian);

  it('sums the distances to all others: points on a line', async () => {
    const judgement = await judge(geometricMedian(), [batch({ incoming: [[0, 1, 3, 10]] })]);
    expect(judgement.map(({ unit }) => unit)).toEqual([1, 2, 0, 3]);
    [12, 12, 14, 26].forEach((sum, i) => {
      expect(judgement[i]!.score).toBeCloseTo(sum, 5);
    });
  });

  it('is what a loop over pairs gives, wherever the filters are', async () => {
    const filters = fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 }), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(filters, fc.constantFrom(0, 100), async (units, offset) => {
        const columns = [0, 1, 2].map((i) => units.map((filter) => filter[i]! + offset));
        for (const { unit, score } of await judge(geometricMedian(), [batch({ incoming: columns })])) {
          const distance = (other: number[]) => Math.hypot(...other.map((w, i) => w - units[unit]![i]!));
          const sum = units.reduce((total, other) => total + distance(other), 0);
          expect(Math.abs(score - sum)).toBeLessThan(0.02 + 1e-4 * sum);
        }
      }),
      { numRuns: 50, seed: 1 },
    );
  });
});

describe('in core', () => {
  const model = () => {
    const made = sequential();
    made.add(layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [4, 4, 1], name: 'conv' }));
    made.add(layers.batchNormalization({ name: 'norm' }));
    made.add(layers.flatten({ name: 'flat' }));
    made.add(layers.dense({ units: 2, name: 'out' }));
    const [kernel, bias] = made.getLayer('conv').getWeights();
    made.getLayer('conv').setWeights([tf.mul(tf.onesLike(kernel!), [3, 1, 2]), bias!]);
    const [gamma, ...others] = made.getLayer('norm').getWeights();
    made.getLayer('norm').setWeights([tf.mul(gamma!, [0.5, -0.75, 0.25]), ...others]);
    return made;
  };

  it.each([
    { pruner: magnitude(), remove: [1], score: 4 },
    { pruner: slimming(), remove: [2], score: 0.25 },
    { pruner: geometricMedian(), remove: [2], score: 4 },
  ])('$pruner.name takes filter $remove', async ({ pruner, remove, score }) => {
    const whole = model();
    const found = await plan(whole, { pruner, budget: { count: 1 } });
    expect(found.groups).toMatchObject([{ id: 'conv', remove, scores: [score] }]);
    expect((await shrink(whole, found)).getLayer('conv').outputShape).toEqual([null, 3, 3, 2]);
  });

  it.each([
    { pruner: magnitude(), scope: ['flat'], what: "'flat' have no incoming weights" },
    { pruner: geometricMedian(), scope: ['flat'], what: "'flat' have no incoming weights" },
  ])('$pruner.name says where it has nothing to go by', async ({ pruner, scope, what }) => {
    await expect(plan(model(), { pruner, scope, budget: { count: 1 } })).rejects.toThrow(what);
  });

  it('slimming says where nothing is normalised', async () => {
    const plain = sequential();
    plain.add(layers.dense({ units: 3, inputShape: [2], name: 'units' }));
    plain.add(layers.dense({ units: 1 }));
    await expect(plan(plain, { pruner: slimming(), budget: { count: 1 } })).rejects.toThrow(
      "[slimming] score threw: the units of group 'units' have no scales of a BatchNormalization",
    );
  });
});
