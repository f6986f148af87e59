import '@tensorflow/tfjs-backend-cpu';
import { batch, judge, testPruner } from '@espalier/core/testing';
import { describe, expect, it } from 'vitest';
import { type RandomArgs, random } from './index.ts';

const judged = (args?: RandomArgs, group = 'fc1') => judge(random(args), [batch({ group, units: 4 })]);

describe('random', () => {
  // a draw for each place, whatever unit stands there
  testPruner(random, { equivariant: false });

  it('draws these scores on every engine', async () => {
    expect(await judged()).toEqual([
      { unit: 2, score: 0.0684327483177185 },
      { unit: 1, score: 0.1640108823776245 },
      { unit: 0, score: 0.5121347308158875 },
      { unit: 3, score: 0.9402696490287781 },
    ]);
  });

  it('draws others by another seed, 0 included, and for another group', async () => {
    const first = await judged({ seed: 0 });
    expect(first).toEqual(await judged());
    for (const other of [await judged({ seed: 1 }), await judged({ seed: -1 }), await judged({}, 'fc2')]) {
      expect(other).not.toEqual(first);
    }
  });

  it('looks at no weight', async () => {
    const other = batch({ group: 'fc1', units: 4, seed: 2 });
    expect(await judge(random(), [other])).toEqual(await judged());
  });

  it('spreads its scores evenly from 0 to 1', async () => {
    const scores = (await judge(random(), [batch({ units: 10_000, fanIn: 1, fanOut: 1, patterns: 1 })])).map(
      ({ score }) => score,
    );
    expect(scores[0]).toBeGreaterThanOrEqual(0);
    expect(scores.at(-1)).toBeLessThan(1);
    for (const decile of [1000, 5000, 9000]) expect(scores[decile]).toBeCloseTo(decile / 10_000, 1);
  });

  it.each([1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses the seed %d', (seed) => {
    expect(() => random({ seed })).toThrow(`[pruner-random] seed must be a whole number, got ${seed}`);
  });
});
