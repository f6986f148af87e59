import '@tensorflow/tfjs-backend-cpu';
import { everyEpochs, plan, prune, shrink } from '@espalier/core';
import { batch, judge, testPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { apoz } from './index.ts';

describe('apoz', () => {
  testPruner(apoz);

  it('is the share of activations that are not zero, the lowest first', async () => {
    const activations = [
      [0, 2, -1],
      [0, 0, 3],
      [5, 0, 0],
      [0, 0, 1e-6],
    ];
    // zeros: 3, 3 and 1 of 4
    expect(await judge(apoz(), [batch({ activations })])).toEqual([
      { unit: 0, score: 0.25 },
      { unit: 1, score: 0.25 },
      { unit: 2, score: 0.75 },
    ]);
  });

  it('counts every position of a channel', async () => {
    const activations = [[0], [1], [0], [0]];
    expect(await judge(apoz(), [batch({ activations, positions: 2 })])).toEqual([{ unit: 0, score: 0.25 }]);
  });

  it('forgets an epoch when the next begins', async () => {
    const [old, now] = [batch({ activations: [[0], [0]] }), batch({ activations: [[1], [0]] })];
    expect(await judge(apoz(), [old], [now])).toEqual([{ unit: 0, score: 0.5 }]);
  });

  it('refuses to judge what nobody has seen', async () => {
    const { onBatchEnd: _, ...blind } = apoz() as Required<ReturnType<typeof apoz>>;
    await expect(judge(blind, [batch()])).rejects.toThrow('[apoz] score threw: no pattern has been seen');
  });
});

describe('apoz in core', () => {
  /** Four ReLU units that answer to x > 0, x > 1, x > 2 and always. */
  const model = () => {
    const made = sequential();
    made.add(layers.dense({ units: 4, inputShape: [1], activation: 'relu', name: 'units' }));
    made.add(layers.dense({ units: 1, name: 'out' }));
    made.getLayer('units').setWeights([tf.tensor2d([[1, 1, 1, 0]]), tf.tensor1d([0, -1, -2, 1])]);
    made.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    return made;
  };
  const x = tf.tensor2d([-1, -0.5, 0.5, 1.5], [4, 1]);

  it('takes what is silent more often than a threshold says, behind the ReLU', async () => {
    const whole = model();
    const found = await plan(whole, { pruner: apoz(), budget: { threshold: 0.4 }, data: { x } });
    expect(found.groups).toMatchObject([{ id: 'units', remove: [1, 2], scores: [0.25, 0] }]);
    const small = await shrink(whole, found);
    expect(small.getLayer('units').outputShape).toEqual([null, 2]);
  });

  it('watches a training', async () => {
    const whole = model();
    const callbacks = [prune(apoz(), { schedule: everyEpochs({ every: 2 }), budget: { count: 1 } })];
    await whole.fit(x, tf.zeros([4, 1]), { epochs: 2, batchSize: 2, verbose: 0, callbacks });
    const small = await shrink(whole);
    expect(small.getLayer('units').outputShape).toEqual([null, 3]);
  });
});
