import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { PairPruner, Proposal, ScorePruner } from '../pruner.ts';
import { smallMlp } from '../test-models/fixed.ts';
import { anyScores, pairs, scores } from '../test-models/pruners.ts';
import { batch, judge, testPruner } from '../testing/index.ts';
import { byRank } from './by-rank.ts';
import { addOutgoing } from './compensation.ts';
import { plan } from './plan.ts';

/** The units with the most activation stay. */
const activity = (): ScorePruner<tf.Tensor> => ({
  name: 'activity',
  needs: ['activations'],
  init: (units) => tf.zeros([units]),
  onEpochBegin: ({ bias }) => tf.zeros(bias.shape),
  onBatchEnd: ({ activations }, total) => tf.add(total, tf.sum(tf.abs(activations), 0)),
  score: (_, total) => total,
});

const errors = (): ScorePruner<tf.Tensor> => ({
  name: 'errors',
  needs: ['errors'],
  init: (units) => tf.zeros([units]),
  onBatchEnd: ({ errors: sent }, total) => tf.add(total, tf.sum(tf.square(sent), 0)),
  score: (_, total) => tf.neg(total),
});

/** Proposes every unit's nearest by the length of its incoming weights. */
const lengths = (): PairPruner => ({
  name: 'lengths',
  compare: ({ incoming }) => {
    const squares = tf.sum(tf.square(incoming), 0);
    return tf.abs(tf.sub(tf.expandDims(squares, 0), tf.expandDims(squares, 1)));
  },
  propose: (matrix, units) => {
    const all = Array.from({ length: units * units }, (_, place) => place).filter(
      (place) => place % units > Math.floor(place / units),
    );
    const taken = new Set<number>();
    return all
      .sort((a, b) => matrix[a]! - matrix[b]!)
      .flatMap((place): Proposal[] => {
        const [unit, into] = [Math.floor(place / units), place % units];
        if (taken.has(unit) || taken.has(into)) return [];
        taken.add(unit).add(into);
        return [{ unit, into, score: matrix[place]! }];
      });
  },
});

describe('byRank', () => {
  testPruner(() => byRank({ pruners: [activity(), errors()] }));
  testPruner(() => byRank({ pruners: [activity(), byRank({ pruners: [errors()] })], weights: [2, 1] }));
  // which unit of a pair goes depends on where it stands
  testPruner(() => byRank({ pruners: [lengths(), errors()] }), { equivariant: false });

  const judged = async (units: number, ...args: Parameters<typeof byRank>) =>
    (await judge(byRank(...args), [batch({ units })])).map(({ score, ...proposal }) => ({
      ...proposal,
      score: Number(score.toFixed(6)),
    }));

  it('goes by the mean of ranks, whatever the scores measure', async () => {
    // ranks: 0 2 1 3 4 and 3 0 1 2 4, of four at most
    const pruners = [scores(1, 30, 2, 400, 5000), scores(-1, -9, -7, -3, 0)];
    expect(await judged(5, { pruners })).toEqual([
      { unit: 1, score: 0.25 },
      { unit: 2, score: 0.25 },
      { unit: 0, score: 0.375 },
      { unit: 3, score: 0.625 },
      { unit: 4, score: 1 },
    ]);
    // 3 to 1: (0 + 3) / 16, (6 + 0) / 16, (3 + 1) / 16, (9 + 2) / 16
    expect(await judged(5, { pruners, weights: [3, 1] })).toEqual([
      { unit: 0, score: 0.1875 },
      { unit: 2, score: 0.25 },
      { unit: 1, score: 0.375 },
      { unit: 3, score: 0.6875 },
      { unit: 4, score: 1 },
    ]);
  });

  it('gives units of one score one rank', async () => {
    // places 0 and 1, then 2, 3, 4
    expect(await judged(5, { pruners: [scores(7, 1, 7, 1, 7)] })).toEqual([
      { unit: 1, score: 0.125 },
      { unit: 3, score: 0.125 },
      { unit: 0, score: 0.75 },
      { unit: 2, score: 0.75 },
      { unit: 4, score: 0.75 },
    ]);
  });

  it('keeps partners, which then stay; unproposed units share the last ranks', async () => {
    // pairs: 3 is first (0), 0 second (1 of 4), the others 2 to 4 (3 of 4); scores: 0, 1, 2, 3, 4 of 4
    const close = pairs({ unit: 3, into: 4, score: 1 }, { unit: 0, into: 2, score: 2 });
    expect(await judged(5, { pruners: [close, scores(0, 1, 2, 3, 4)] })).toEqual([
      { unit: 0, into: 2, score: 0.125 },
      { unit: 3, into: 4, score: 0.375 },
      { unit: 1, score: 0.5 },
    ]);
    expect(await judged(5, { pruners: [close] })).toEqual([
      { unit: 3, into: 4, score: 0 },
      { unit: 0, into: 2, score: 0.25 },
    ]);
  });

  it('lets a partner go that ranks lower itself: nobody takes over then', async () => {
    const close = pairs({ unit: 0, into: 1, score: 1 });
    // unit 1 has (1 + 0) / 4, unit 0 has (0 + 2) / 4
    expect(await judged(3, { pruners: [close, scores(3, 1, 2)], weights: [1, 2] })).toEqual([
      { unit: 1, score: 0.25 },
      { unit: 2, score: 0.583333 },
      { unit: 0, score: 0.666667 },
    ]);
  });

  it('lets two go together, by the mean of both ranks', async () => {
    const cancelling = pairs({ unit: 0, also: 2, score: 180 });
    // the two have 1/6 and units 1 and 3 have 5/6; scores: 0, 2/3, 1/3 and 1
    expect(await judged(4, { pruners: [cancelling, scores(0, 2, 1, 3)] })).toEqual([
      { unit: 0, also: 2, score: 0.166667 },
      { unit: 1, score: 0.75 },
      { unit: 3, score: 0.916667 },
    ]);
  });

  it('shows each pruner what it needs itself, and gathers it once', async () => {
    const joint = byRank({ pruners: [activity(), errors(), activity()] });
    expect(joint.needs).toEqual(['activations', 'errors']);
    const nosy: ScorePruner = {
      ...errors(),
      name: 'nosy',
      needs: ['activations'],
      init: () => tf.zeros([6]),
    };
    const run = judge(byRank({ pruners: [errors(), nosy] }), [batch()]);
    await expect(run).rejects.toThrow("[nosy] onBatchEnd reads 'errors'");
  });

  it('is refused if it does not need what its pruners do: they would be shown nothing', async () => {
    const { needs: _, ...bare } = byRank({ pruners: [anyScores(1), errors()] });
    for (const pruner of [bare, byRank({ pruners: [{ ...bare, name: 'outer' }] })]) {
      await expect(plan(smallMlp(), { pruner, budget: { count: 1 } })).rejects.toThrow(
        "has a member, errors, that needs 'errors', so its own needs must list it",
      );
    }
  });

  it('frees what its pruners hold when one of them fails to begin', async () => {
    const fails: ScorePruner = {
      ...scores(),
      init: () => {
        throw new Error('no');
      },
    };
    const seen = [batch()];
    const before = tf.memory().numTensors;
    await expect(judge(byRank({ pruners: [activity(), fails] }), seen)).rejects.toThrow('no');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('needs a budget where one of its pruners does, and adds where one of them names partners', async () => {
    const model = smallMlp();
    const mixed = byRank({ pruners: [anyScores(1), lengths()] });
    await expect(plan(model, { pruner: mixed })).rejects.toThrow('say how far to go');
    expect(await plan(model, { pruner: mixed, budget: { count: 1 } })).toMatchObject({ compensation: 'add' });
    expect((await plan(model, { pruner: byRank({ pruners: [lengths()] }) })).groups).toHaveLength(2);
    const alone = byRank({ pruners: [anyScores(1)] });
    expect(await plan(model, { pruner: alone, budget: { count: 1 } })).toMatchObject({
      compensation: 'none',
    });
    const run = plan(model, { pruner: alone, budget: { count: 1 }, compensation: addOutgoing() });
    await expect(run).rejects.toThrow('names no partners');
  });

  it.each([
    [{ pruners: [] }, 'byRank has no pruners'],
    [{ pruners: [scores()], weights: [1, 2] }, 'a weight above 0 for each of its 1 pruners, got 1, 2'],
    [{ pruners: [scores()], weights: [0] }, 'a weight above 0'],
  ])('refuses %j', (args, message) => expect(() => byRank(args)).toThrow(message));
});
