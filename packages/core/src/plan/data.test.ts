import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { analyze } from '../graph/analyze.ts';
import type { Pruner } from '../pruner.ts';
import { scaleOutgoing } from './compensation.ts';
import { judge } from './judge.ts';
import { type PlanOptions, plan } from './plan.ts';

const loudness: Pruner<tf.Tensor> = {
  name: 'loudness',
  needs: ['activations'],
  init: (units) => tf.zeros([units]),
  onBatchEnd: ({ activations }, total) => tf.add(total, tf.sum(tf.abs(activations), 0)),
  score: (_, total) => total,
};
/** The last unit may go into the first. */
const lastIntoFirst: Pruner = {
  name: 'last into first',
  compare: ({ incoming }) => tf.zeros([incoming.shape[1], incoming.shape[1]]),
  propose: (_, units) => [{ unit: units - 1, into: 0, score: 0 }],
};

const model = (weights?: tf.Tensor[]): tfl.Sequential =>
  tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 3, inputShape: [2], name: 'hidden', ...(weights && { weights }) }),
      tfl.layers.dense({ units: 1 }),
    ],
  });

describe('calibration data', () => {
  it('is all that counts: others may use the model meanwhile', async () => {
    const judged = model();
    const data = { x: tf.randomNormal([40, 2]), batchSize: 8 };
    const alone = await judge(judged, { pruners: [loudness], data });
    const both = [judge(judged, { pruners: [loudness], data }), judge(judged, { pruners: [loudness], data })];
    const noise = tf.mul(tf.ones([4, 2]), 100);
    for (let i = 0; i < 20; i++) {
      tf.dispose(judged.predict(noise));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    for (const verdict of await Promise.all(both)) expect(verdict).toEqual(alone);
  });

  it('must be tensors, and options must be there', async () => {
    const judged = model();
    const data = { x: [[1, 2]] } as unknown as { x: tf.Tensor };
    await expect(judge(judged, { pruners: [loudness], data })).rejects.toThrow(
      'data.x and data.y must be tensors',
    );
    await expect(plan(judged, undefined as unknown as PlanOptions)).rejects.toThrow('there is no pruner');
    await expect(
      plan(judged, { pruner: loudness, budget: { fraction: 0.5 }, scope: [], data: { x: tf.ones([1, 2]) } }),
    ).rejects.toThrow('the scope is empty');
    const fraction = '0.5' as unknown as number;
    await expect(plan(judged, { pruner: loudness, budget: { fraction } })).rejects.toThrow('got "0.5"');
  });

  it('keeps its digits under a large mean', async () => {
    // the third unit is twice the first, 900 away from 0
    const weights = [
      tf.tensor2d([
        [1, 0, 2],
        [0, 1, 0],
      ]),
      tf.tensor1d([900, 0, 1800]),
    ];
    const made = await plan(model(weights), {
      pruner: lastIntoFirst,
      compensation: scaleOutgoing(),
      data: { x: tf.randomNormal([500, 2], 0, 1, 'float32', 3), batchSize: 64 },
    });
    const [{ into, constants }] = made.folds[0]!.units as [(typeof made.folds)[0]['units'][0]];
    expect(into[0]![0]).toBe(0);
    expect(into[0]![1]).toBeCloseTo(2, 3);
    expect(constants![0]).toBeCloseTo(0, 0);
  });
});

it('a normalisation along an axis of positions ties no units', () => {
  const normalized = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ filters: 5, kernelSize: 1, inputShape: [4, 4, 1], name: 'conv' }),
      tfl.layers.batchNormalization({ axis: 1 }),
      tfl.layers.globalAveragePooling2d({}),
      tfl.layers.dense({ units: 2 }),
    ],
  });
  expect(analyze(normalized).groups[0]).toMatchObject({ id: 'conv', size: 5, prunable: true });
});
