import '@tensorflow/tfjs-backend-cpu';
import { everyEpochs, judge as judgeModel, prune, shrink } from '@espalier/core';
import { batch, judge, testPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { fisher, taylor } from './index.ts';

/** Slopes: [2, -2] and [-3, -4]. */
const seen = {
  activations: [
    [1, 2],
    [3, -1],
  ],
  errors: [
    [2, -1],
    [-1, 4],
  ],
};
const asOnePattern = { ...seen, positions: 2 };

describe('taylor', () => {
  testPruner(taylor);

  it('is the mean absolute slope of the patterns', async () => {
    expect(await judge(taylor(), [batch(seen)])).toEqual([
      { unit: 0, score: 2.5 },
      { unit: 1, score: 3 },
    ]);
  });

  it('sums over positions first', async () => {
    expect(await judge(taylor(), [batch(asOnePattern)])).toEqual([
      { unit: 0, score: 1 },
      { unit: 1, score: 6 },
    ]);
  });

  it('forgets an epoch when the next begins', async () => {
    const [old, now] = [
      batch({ activations: [[9]], errors: [[9]] }),
      batch({ activations: [[2]], errors: [[-2]] }),
    ];
    expect(await judge(taylor(), [old], [now])).toEqual([{ unit: 0, score: 4 }]);
  });

  it('refuses what it does not know, and to judge what nobody has seen', async () => {
    expect(() => taylor({ per: 'batch' as 'all' })).toThrow("per must be 'pattern' or 'all', got 'batch'");
    const { onBatchEnd: _, ...blind } = taylor() as Required<ReturnType<typeof taylor>>;
    await expect(judge(blind, [batch()])).rejects.toThrow('[taylor] score threw: no pattern has been seen');
  });
});

describe('taylor per all', () => {
  testPruner(() => taylor({ per: 'all' }));

  it('is the absolute mean slope, over batches too', async () => {
    // (2 - 3) / 2 and (-2 - 4) / 2
    const expected = [
      { unit: 0, score: 0.5 },
      { unit: 1, score: 3 },
    ];
    expect(await judge(taylor({ per: 'all' }), [batch(seen)])).toEqual(expected);
    const rows = [0, 1].map((p) => batch({ activations: [seen.activations[p]!], errors: [seen.errors[p]!] }));
    expect(await judge(taylor({ per: 'all' }), rows)).toEqual(expected);
  });
});

describe('fisher', () => {
  testPruner(fisher);

  it('is half the mean squared slope', async () => {
    expect(await judge(fisher(), [batch(seen)])).toEqual([
      { unit: 0, score: 3.25 },
      { unit: 1, score: 5 },
    ]);
    expect(await judge(fisher(), [batch(asOnePattern)])).toEqual([
      { unit: 0, score: 0.5 },
      { unit: 1, score: 18 },
    ]);
  });
});

const uniform = (shape: number[], seed: string) => tf.randomUniform(shape, -1, 1, 'float32', seed);
const PATTERNS = 18;

/** Dense units, or channels that a convolution reads at each place; `reader` reads them. */
const networks: Record<string, () => { model: LayersModel; x: tf.Tensor }> = {
  'of neurons': () => {
    const model = sequential();
    model.add(layers.dense({ units: 5, inputShape: [3], activation: 'tanh', name: 'units' }));
    model.add(layers.dense({ units: 2, activation: 'softmax', name: 'reader' }));
    return { model, x: uniform([PATTERNS, 3], 'x') };
  },
  'of channels': () => {
    const model = sequential();
    model.add(
      layers.conv2d({ filters: 4, kernelSize: 2, inputShape: [4, 4, 1], activation: 'tanh', name: 'units' }),
    );
    model.add(layers.conv2d({ filters: 2, kernelSize: 2, activation: 'tanh', name: 'reader' }));
    model.add(layers.flatten());
    model.add(layers.dense({ units: 2, activation: 'softmax' }));
    return { model, x: uniform([PATTERNS, 4, 4, 1], 'images') };
  },
};

describe.each(Object.keys(networks))('in core, %s', (name) => {
  const labels = Array.from({ length: PATTERNS }, (_, i) => i % 2);
  const made = () => {
    const { model, x } = networks[name]!();
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy' });
    return { model, x, y: tf.oneHot(tf.tensor1d(labels, 'int32'), 2) };
  };
  /** The loss of each pattern with every weight that reads a unit multiplied by `gate`. */
  const lossesAt = (model: LayersModel, x: tf.Tensor, unit: number, gate: number): number[] => {
    const reader = model.getLayer('reader');
    const weights = reader.getWeights().map((weight) => weight.clone());
    const inputs = weights[0]!.shape.at(-2)!;
    const gates = Array.from({ length: inputs }, (_, u) => [u === unit ? gate : 1]);
    reader.setWeights([tf.mul(weights[0]!, tf.tensor2d(gates)), ...weights.slice(1)]);
    const outputs = (model.predict(x) as tf.Tensor2D).arraySync();
    reader.setWeights(weights);
    return outputs.map((row, p) => -Math.log(row[labels[p]!]!));
  };
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

  it.each([
    { pruner: taylor(), expected: (slopes: number[]) => mean(slopes.map(Math.abs)) },
    { pruner: taylor({ per: 'all' }), expected: (slopes: number[]) => Math.abs(mean(slopes)) },
    { pruner: fisher(), expected: (slopes: number[]) => mean(slopes.map((slope) => slope ** 2)) / 2 },
  ])('$pruner.name is what finite differences of gates give', async ({ pruner, expected }) => {
    const { model, x, y } = made();
    const data = { x, y, batchSize: 7 };
    const [verdict] = await judgeModel(model, { pruners: [pruner], scope: ['units'], data });
    const { proposals, size } = verdict!.groups[0]!;
    expect(proposals).toHaveLength(size);
    for (const { unit, score } of proposals) {
      const more = lossesAt(model, x, unit, 1.01);
      const slopes = lossesAt(model, x, unit, 0.99).map((less, p) => (more[p]! - less) / 0.02);
      expect(score).toBeCloseTo(expected(slopes), 4);
    }
  });

  it('prunes in the middle of a training', async () => {
    const { model, x, y } = made();
    const callbacks = [fisher(), taylor()].map((pruner, i) =>
      prune(pruner, { scope: ['units'], schedule: everyEpochs({ every: 2 }), budget: { count: i + 1 } }),
    );
    await model.fit(x, y, { epochs: 4, batchSize: 8, verbose: 0, callbacks });
    const before = model.getLayer('units').outputShape.at(-1) as number;
    expect((await shrink(model)).getLayer('units').outputShape.at(-1)).toBe(before - 2);
  });
});
