import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import type { Pruner } from '../pruner.ts';
import { mask } from '../surgery/mask.ts';
import { judge } from './judge.ts';
import { plan } from './plan.ts';

const shortest: Pruner = { name: 'shortest', score: ({ incoming }) => tf.norm(incoming, 'euclidean', 0) };
const quietest: Pruner<tf.Tensor> = {
  name: 'quietest',
  needs: ['activations'],
  init: (units) => tf.zeros([units]),
  onBatchEnd: ({ activations }, total) => tf.add(total, tf.sum(tf.abs(activations), 0)),
  score: (_, total) => total,
};

const model = (): tfl.Sequential =>
  tfl.sequential({
    layers: [
      tfl.layers.dense({
        name: 'hidden',
        units: 3,
        inputShape: [1],
        // incoming lengths 3, 1, 2; activations |x| times the same
        weights: [tf.tensor2d([[3, -1, 2]]), tf.zeros([3])],
      }),
      tfl.layers.dense({ name: 'out', units: 1 }),
    ],
  });

describe('judge', () => {
  it('asks several pruners in one pass', async () => {
    const watched = model();
    let calls = 0;
    const layer = watched.getLayer('hidden');
    const call = layer.call.bind(layer);
    layer.call = (...args) => {
      calls++;
      return call(...args);
    };
    const x = tf.tensor2d([[1], [-2]]);
    const verdicts = await judge(watched, { pruners: [shortest, quietest], data: { x } });
    expect(calls).toBe(1);
    expect(verdicts.map(({ pruner }) => pruner)).toEqual(['shortest', 'quietest']);
    for (const [i, factor] of [1, 3].entries()) {
      expect(verdicts[i]!.groups).toEqual([
        {
          id: 'hidden',
          size: 3,
          proposals: [
            { unit: 1, score: factor },
            { unit: 2, score: 2 * factor },
            { unit: 0, score: 3 * factor },
          ],
        },
      ]);
    }
  });

  it('numbers units as the group does, also when some are masked', async () => {
    const masked = model();
    await mask(masked, await plan(masked, { pruner: shortest, budget: { count: 1 } }));
    const [verdict] = await judge(masked, { pruners: [shortest] });
    expect(verdict!.groups[0]!.proposals.map(({ unit }) => unit)).toEqual([2, 0]);
  });

  it('says what it lacks, and leaks nothing', async () => {
    const judged = model();
    const before = tf.memory().numTensors;
    await expect(judge(judged, { pruners: [shortest, quietest] })).rejects.toThrow(
      'shortest, quietest looks at data: give data: { x }',
    );
    await judge(judged, { pruners: [shortest] });
    expect(tf.memory().numTensors).toBe(before);
  });
});
