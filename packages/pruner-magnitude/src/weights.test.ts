import '@tensorflow/tfjs-backend-cpu';
import { pruneWeights } from '@espalier/core';
import { testWeightPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { magnitudeWeights } from './index.ts';

describe('magnitudeWeights', () => {
  testWeightPruner(magnitudeWeights);

  it('takes the weights nearest to 0, whatever their sign', async () => {
    const model = sequential({
      layers: [layers.dense({ units: 2, inputShape: [2], useBias: false, name: 'fc1' })],
    });
    model.setWeights([tf.tensor2d([-3, 0.5, -0.25, 2], [2, 2])]);
    await pruneWeights(model, { pruner: magnitudeWeights(), fraction: 0.5 });
    expect(Array.from(model.getWeights()[0]!.dataSync())).toEqual([-3, 0, 0, 2]);
  });
});
