import '@tensorflow/tfjs-backend-cpu';
import { everyEpochs, mask, plan, prune, shrink } from '@espalier/core';
import { batch, judge, testPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { type DistinctivenessArgs, distinctiveness } from './distinctiveness.ts';

const waves = (...units: readonly ((pattern: number) => number)[]) => ({
  activations: Array.from({ length: 24 }, (_, p) => units.map((of) => of((p * Math.PI) / 12))),
});

describe('distinctiveness', () => {
  testPruner(distinctiveness);

  it('takes one of two that are 15 degrees apart, and both from 165 on', async () => {
    const shifted = (degrees: number, size: number) => (angle: number) =>
      size * Math.sin(angle + (degrees * Math.PI) / 180);
    const seen = batch(
      waves(shifted(0, 0.1), shifted(12, 0.08), shifted(60, 0.1), shifted(226, 0.09), shifted(80, 0.1)),
    );
    expect(await judge(distinctiveness(), [seen])).toEqual([
      { unit: 1, into: 0, score: expect.closeTo(12, 1) },
      { unit: 3, also: 2, score: expect.closeTo(166, 1), price: expect.closeTo(14, 1) },
    ]);
  });

  it('takes constant units and those near 0 first, each by itself', async () => {
    const seen = batch(
      waves(
        () => 0.7,
        (angle) => Math.sin(angle),
        (angle) => 0.02 * Math.sin(angle),
        (angle) => -3 + 0.02 * Math.cos(angle),
        (angle) => Math.cos(angle),
      ),
    );
    expect(await judge(distinctiveness(), [seen])).toEqual([
      { unit: 0, score: 0 },
      { unit: 2, score: 0 },
      { unit: 3, score: 0 },
    ]);
  });

  it('does not take for constant what a sigmoid squashes to one value', async () => {
    const seen = batch(
      waves(
        (angle) => 60 + 10 * Math.sin(angle),
        (angle) => Math.cos(angle),
      ),
    );
    expect(await judge(distinctiveness(), [seen])).toEqual([]);
  });

  it('looks at all batches of an epoch, and forgets them with it', async () => {
    const [low, high] = [batch({ activations: [[0.2], [0.2]] }), batch({ activations: [[0.9], [0.9]] })];
    expect(await judge(distinctiveness(), [low, high])).toEqual([]);
    expect(await judge(distinctiveness(), [low], [high])).toEqual([{ unit: 0, score: 0 }]);
  });

  it.each<[DistinctivenessArgs, string]>([
    [{ lower: 170 }, '[pruner-angle] lower must be below upper, got 170 and 165'],
    [{ constant: -1 }, '[pruner-angle] constant must be a number of at least 0, got -1'],
    [{ constant: Number.NaN }, '[pruner-angle] constant must be a number of at least 0, got NaN'],
  ])('refuses %o', (args, message) => {
    expect(() => distinctiveness(args)).toThrow(message);
  });
});

describe('distinctiveness in core', () => {
  const x = tf.randomUniform([50, 3], -1, 1, 'float32', 'x');
  /** Unit 1 is always tanh(2), unit 3 always 0; the others have jobs of their own. */
  const withConstants = () => {
    const model = sequential();
    model.add(layers.dense({ units: 4, inputShape: [3], activation: 'tanh', name: 'hidden' }));
    model.add(layers.dense({ units: 2, name: 'out' }));
    model.layers[0]!.setWeights([
      tf.tensor2d([
        [1, 0, -1, 0],
        [2, 0, 0.5, 0],
        [-1, 0, 3, 0],
      ]),
      tf.tensor1d([0.5, 2, 0.1, 0]),
    ]);
    return model;
  };

  it('folds a constant unit into the biases, and the smaller model answers as before', async () => {
    const model = withConstants();
    const before = (model.predict(x) as tf.Tensor).dataSync();
    const found = await plan(model, { pruner: distinctiveness(), data: { x } });
    expect(found.groups.map(({ remove }) => remove)).toEqual([[1, 3]]);
    const small = await shrink(model, found);
    await mask(model, found);
    for (const one of [model, small]) {
      const after = (one.predict(x) as tf.Tensor).dataSync();
      for (const [i, value] of after.entries()) expect(value).toBeCloseTo(before[i]!, 5);
    }
    expect(small.getLayer('hidden').outputShape).toEqual([null, 2]);
  });

  it('prunes in the middle of a training', async () => {
    const model = withConstants();
    model.compile({ optimizer: tf.train.sgd(1e-4), loss: 'meanSquaredError' });
    const callbacks = [prune(distinctiveness(), { schedule: everyEpochs({ every: 2 }) })];
    await model.fit(x, tf.zeros([50, 2]), { epochs: 4, batchSize: 16, verbose: 0, callbacks });
    const outgoing = model.layers[1]!.getWeights()[0]!.arraySync() as number[][];
    expect(outgoing.map((row) => row.every((weight) => weight === 0))).toEqual([false, true, false, true]);
  });
});
