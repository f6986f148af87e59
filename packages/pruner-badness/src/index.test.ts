import '@tensorflow/tfjs-backend-cpu';
import { everyEpochs, judge as judgeModel, mask, plan, prune, shrink } from '@espalier/core';
import { batch, judge, testPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { badness } from './index.ts';

describe('badness', () => {
  testPruner(badness);

  it('judges a unit by the squares of its errors, the largest first', async () => {
    const errors = [
      [1, 3, -1],
      [2, 0, -1],
    ];
    expect(await judge(badness(), [batch({ errors })])).toEqual([
      { unit: 1, score: -9 },
      { unit: 0, score: -5 },
      { unit: 2, score: -2 },
    ]);
  });

  it('squares the error of each position by itself', async () => {
    const seen = batch({ errors: [[3], [-3], [1], [1]], positions: 2 });
    expect(await judge(badness(), [seen])).toEqual([{ unit: 0, score: -20 }]);
  });

  it('forgets an epoch when the next begins', async () => {
    const [old, now] = [batch({ errors: [[5]] }), batch({ errors: [[2]] })];
    expect(await judge(badness(), [old], [now])).toEqual([{ unit: 0, score: -4 }]);
  });
});

describe('badness in core', () => {
  const x = tf.randomUniform<tf.Rank.R2>([20, 3], -1, 1, 'float32', 'x');
  const y = tf.randomUniform<tf.Rank.R2>([20, 2], -1, 1, 'float32', 'y');
  const network = () => {
    const model = sequential();
    model.add(layers.dense({ units: 4, inputShape: [3], activation: 'tanh', name: 'hidden' }));
    model.add(layers.dense({ units: 2, name: 'out' }));
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    return model;
  };

  it.each([1, 7, 20])(
    'is what nudging each activation does to its own pattern, in batches of %i',
    async (batchSize) => {
      const model = network();
      const hidden = (model.layers[0]!.apply(x) as tf.Tensor2D).arraySync();
      const [kernel, bias] = model.layers[1]!.getWeights().map((weight) => weight.arraySync()) as [
        number[][],
        number[],
      ];
      const targets = y.arraySync();
      const lossAt = (pattern: number, unit: number, by: number) =>
        bias.reduce((total, start, k) => {
          const output = hidden[pattern]!.reduce(
            (sum, h, j) => sum + (h + (j === unit ? by : 0)) * kernel[j]![k]!,
            start,
          );
          return total + (output - targets[pattern]![k]!) ** 2 / bias.length;
        }, 0);
      const [verdict] = await judgeModel(model, { pruners: [badness()], data: { x, y, batchSize } });
      for (const { unit, score } of verdict!.groups[0]!.proposals) {
        const squares = targets.map((_, p) => ((lossAt(p, unit, 1e-4) - lossAt(p, unit, -1e-4)) / 2e-4) ** 2);
        expect(-score).toBeCloseTo(
          squares.reduce((a, b) => a + b),
          3,
        );
      }
    },
  );

  it('plans, and the masked and the smaller model agree', async () => {
    const model = network();
    const made = await plan(model, { pruner: badness(), budget: { count: 2 }, data: { x, y } });
    const small = await shrink(model, made);
    await mask(model, made);
    expect(small.getLayer('hidden').outputShape).toEqual([null, 2]);
    const [masked, smaller] = [model, small].map((one) => (one.predict(x) as tf.Tensor).dataSync());
    for (const [i, value] of smaller!.entries()) expect(value).toBeCloseTo(masked![i]!, 5);
  });

  it('prunes in the middle of a training', async () => {
    const model = network();
    const callbacks = [
      prune(badness(), { schedule: everyEpochs({ every: 2, until: 0.7 }), budget: { fraction: 0.5 } }),
    ];
    await model.fit(x, y, { epochs: 4, batchSize: 8, verbose: 0, callbacks });
    const outgoing = model.layers[1]!.getWeights()[0]!.arraySync() as number[][];
    expect(outgoing.filter((row) => row.every((weight) => weight === 0))).toHaveLength(2);
  });
});
