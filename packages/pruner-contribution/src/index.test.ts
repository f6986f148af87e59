import '@tensorflow/tfjs-backend-cpu';
import { everyEpochs, mask, plan, prune, shrink } from '@espalier/core';
import { batch, judge, testPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { contribution } from './index.ts';

const seen = {
  activations: [
    [1, 5, 0],
    [-3, 5, 1],
  ],
  outgoing: [
    [2, -1],
    [0.5, 0.5],
    [1, 0],
  ],
};

describe('contribution', () => {
  testPruner(contribution);

  it('is the mean size of activation times weight, summed over consumers', async () => {
    expect(await judge(contribution(), [batch(seen)])).toEqual([
      { unit: 2, score: 0.5 },
      { unit: 1, score: 5 },
      { unit: 0, score: 6 },
    ]);
  });

  it('forgets an epoch when the next begins', async () => {
    const [old, now] = [batch({ ...seen, activations: [[9, 9, 9]] }), batch(seen)];
    expect(await judge(contribution(), [old], [now])).toEqual(await judge(contribution(), [now]));
  });

  it('refuses to judge before it has seen a pattern', async () => {
    await expect(judge(contribution(), [])).rejects.toThrow('judge needs a batch');
    const pruner = contribution();
    expect(() => pruner.score(batch(seen), pruner.init!(3))).toThrow('no pattern has been seen');
  });

  it('refuses another measure', () => {
    expect(() => contribution({ measure: 'size' as 'variance' })).toThrow(
      "[pruner-contribution] measure must be 'absolute' or 'variance', got 'size'",
    );
  });
});

describe('contribution by variance', () => {
  const varying = () => contribution({ measure: 'variance' });
  testPruner(varying);

  it('is the variance of the products, summed over consumers: 0 for what is constant', async () => {
    // variances 4, 0 and 1/4
    expect(await judge(varying(), [batch(seen)])).toEqual([
      { unit: 1, score: 0 },
      { unit: 2, score: 0.25 },
      { unit: 0, score: 20 },
    ]);
  });

  it('keeps its digits beside a large mean, batch by batch', async () => {
    const outgoing = [[1]];
    const batches = Array.from({ length: 50 }, () => batch({ activations: [[1000], [1000.5]], outgoing }));
    const [one] = await judge(varying(), batches);
    expect(one?.score).toBeCloseTo(1 / 16, 6);
  });
});

describe('contribution in core', () => {
  const x = tf.randomUniform([20, 3], -1, 1, 'float32', 'x');
  const network = () => {
    const model = sequential();
    model.add(layers.dense({ units: 4, inputShape: [3], activation: 'relu', name: 'hidden' }));
    model.add(layers.dense({ units: 2, name: 'out' }));
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    return model;
  };

  it('takes out what hardly speaks, and the masked and the smaller model agree', async () => {
    const model = network();
    const [kernel, bias] = model.getLayer('out').getWeights();
    const faint = tf.tensor2d([[1e-6], [1], [1e-6], [1]]);
    model.getLayer('out').setWeights([tf.mul(kernel!, faint), bias!]);
    const found = await plan(model, { pruner: contribution(), budget: { count: 2 }, data: { x } });
    expect(found.groups[0]!.remove).toEqual([0, 2]);
    const small = await shrink(model, found);
    await mask(model, found);
    const [masked, smaller] = [model, small].map((one) => (one.predict(x) as tf.Tensor).dataSync());
    for (const [i, value] of smaller!.entries()) expect(value).toBeCloseTo(masked![i]!, 5);
  });

  it('prunes in the middle of a training', async () => {
    const model = network();
    const callbacks = [prune(contribution(), { schedule: everyEpochs({ every: 2 }), budget: { count: 1 } })];
    await model.fit(x, tf.zeros([20, 2]), { epochs: 2, batchSize: 8, verbose: 0, callbacks });
    const outgoing = model.getLayer('out').getWeights()[0]!.arraySync() as number[][];
    expect(outgoing.filter((row) => row.every((weight) => weight === 0))).toHaveLength(1);
  });
});
