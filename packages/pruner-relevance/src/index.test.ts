import '@tensorflow/tfjs-backend-cpu';
import { everyEpochs, judge as judgeModel, mask, plan, prune, shrink } from '@espalier/core';
import { batch, judge, testPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { relevance } from './index.ts';

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

describe('relevance', () => {
  testPruner(relevance);

  it('is minus the sum of activation times error, the lowest first', async () => {
    // g: [2, -2] and [-3, -4]
    expect(await judge(relevance(), [batch(seen)])).toEqual([
      { unit: 0, score: 1 },
      { unit: 1, score: 6 },
    ]);
  });

  it('sums over positions', async () => {
    expect(await judge(relevance(), [batch({ ...seen, positions: 2 })])).toEqual([
      { unit: 0, score: 1 },
      { unit: 1, score: 6 },
    ]);
  });

  it('forgets an epoch when the next begins', async () => {
    const [old, now] = [batch(seen), batch({ activations: [[2]], errors: [[-2]] })];
    const first = { ...old, activations: now.activations, errors: now.errors, bias: now.bias };
    expect(await judge(relevance(), [first], [now])).toEqual([{ unit: 0, score: 4 }]);
  });

  it('refuses another order', () => {
    expect(() => relevance({ order: 3 as 2 })).toThrow(
      "[pruner-relevance] order must be 1, 2 or 'exact', got 3",
    );
  });
});

describe('relevance of order 2', () => {
  testPruner(() => relevance({ order: 2 }));

  it('adds half the squares, pattern by pattern', async () => {
    // 1 + (4 + 9) / 2 and 6 + (4 + 16) / 2
    expect(await judge(relevance({ order: 2 }), [batch(seen)])).toEqual([
      { unit: 0, score: 7.5 },
      { unit: 1, score: 16 },
    ]);
  });

  it('squares the sum over positions', async () => {
    // g: -1 and -6
    expect(await judge(relevance({ order: 2 }), [batch({ ...seen, positions: 2 })])).toEqual([
      { unit: 0, score: 1.5 },
      { unit: 1, score: 24 },
    ]);
  });
});

describe('exact relevance', () => {
  testPruner(() => relevance({ order: 'exact' }));

  it('is what the patterns lose, in sum', async () => {
    const [one, other] = [batch({ losses: [[1, -2]] }), batch({ losses: [[0.5, 3]] })];
    expect(await judge(relevance({ order: 'exact' }), [one, other])).toEqual([
      { unit: 1, score: 1 },
      { unit: 0, score: 1.5 },
    ]);
  });
});

const uniform = (shape: number[], seed: string) => tf.randomUniform(shape, -1, 1, 'float32', seed);

/** Dense units, or channels that a convolution reads at each place. */
const networks: Record<string, () => { model: LayersModel; units: number; x: tf.Tensor; y: tf.Tensor }> = {
  'of neurons': () => {
    const model = sequential();
    model.add(layers.dense({ units: 5, inputShape: [3], activation: 'tanh', name: 'units' }));
    model.add(layers.dense({ units: 3, activation: 'softmax', name: 'reader' }));
    const y = tf.oneHot(
      tf.tensor1d(
        Array.from({ length: 18 }, (_, i) => i % 3),
        'int32',
      ),
      3,
    );
    return { model, units: 5, x: uniform([18, 3], 'x'), y };
  },
  'of channels': () => {
    const model = sequential();
    model.add(
      layers.conv2d({ filters: 4, kernelSize: 2, inputShape: [4, 4, 1], activation: 'tanh', name: 'units' }),
    );
    model.add(layers.conv2d({ filters: 2, kernelSize: 2, activation: 'tanh', name: 'reader' }));
    model.add(layers.flatten());
    model.add(layers.dense({ units: 2, activation: 'softmax' }));
    const y = tf.oneHot(
      tf.tensor1d(
        Array.from({ length: 18 }, (_, i) => i % 2),
        'int32',
      ),
      2,
    );
    return { model, units: 4, x: uniform([18, 4, 4, 1], 'images'), y };
  },
};

describe.each(Object.keys(networks))('relevance %s in core', (name) => {
  const made = () => {
    const network = networks[name]!();
    network.model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy' });
    return network;
  };
  /** The loss of each pattern with one unit's gate at `gate`: every weight that reads it is multiplied. */
  const lossesAt = ({ model, x, y }: ReturnType<typeof made>, unit: number, gate: number): number[] => {
    const reader = model.getLayer('reader');
    const weights = reader.getWeights().map((weight) => weight.clone());
    const axis = weights[0]!.rank - 2;
    const gates = Array.from({ length: weights[0]!.shape[axis]! }, (_, u) => [u === unit ? gate : 1]);
    reader.setWeights([tf.mul(weights[0]!, tf.tensor2d(gates)), ...weights.slice(1)]);
    const outputs = (model.predict(x) as tf.Tensor2D).arraySync();
    reader.setWeights(weights);
    const targets = (y as tf.Tensor2D).arraySync();
    return outputs.map((row, p) => -Math.log(row[targets[p]!.indexOf(1)]!));
  };
  const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

  it('is the slope of the loss as the gate of a unit shuts', async () => {
    const network = made();
    const { model, units, x, y } = network;
    const [verdict] = await judgeModel(model, {
      pruners: [relevance()],
      scope: ['units'],
      data: { x, y, batchSize: 7 },
    });
    const { proposals } = verdict!.groups[0]!;
    expect(proposals).toHaveLength(units);
    for (const { unit, score } of proposals) {
      const slope = (total(lossesAt(network, unit, 1.01)) - total(lossesAt(network, unit, 0.99))) / 0.02;
      expect(score).toBeCloseTo(-slope, 2);
    }
  });

  it('of order 2 squares the slope of each pattern', async () => {
    const network = made();
    const { model, x, y } = network;
    const [verdict] = await judgeModel(model, {
      pruners: [relevance({ order: 2 })],
      scope: ['units'],
      data: { x, y, batchSize: 5 },
    });
    for (const { unit, score } of verdict!.groups[0]!.proposals) {
      const more = lossesAt(network, unit, 1.01);
      const slopes = lossesAt(network, unit, 0.99).map((less, p) => (more[p]! - less) / 0.02);
      expect(score).toBeCloseTo(total(slopes.map((slope) => slope * slope * 0.5 - slope)), 2);
    }
  });

  it('is the loss without a unit minus the loss with it, if exact', async () => {
    const network = made();
    const { model, x, y } = network;
    const [verdict] = await judgeModel(model, {
      pruners: [relevance({ order: 'exact' })],
      scope: ['units'],
      data: { x, y, batchSize: 7 },
    });
    const open = total(lossesAt(network, 0, 1));
    for (const { unit, score } of verdict!.groups[0]!.proposals) {
      expect(score).toBeCloseTo(total(lossesAt(network, unit, 0)) - open, 3);
    }
  });

  it('plans, and the masked and the smaller model agree', async () => {
    const { model, x, y } = made();
    const options = { scope: ['units'], budget: { count: 2 }, data: { x, y } };
    const found = await plan(model, { pruner: relevance(), ...options });
    const small = await shrink(model, found);
    await mask(model, found);
    const [masked, smaller] = [model, small].map((one) => (one.predict(x) as tf.Tensor).dataSync());
    for (const [i, value] of smaller!.entries()) expect(value).toBeCloseTo(masked![i]!, 5);
    expect(small.countParams()).toBeLessThan(model.countParams());
  });

  it('prunes in the middle of a training', async () => {
    const { model, x, y } = made();
    const callbacks = [
      prune(relevance(), { scope: ['units'], schedule: everyEpochs({ every: 2 }), budget: { count: 2 } }),
    ];
    await model.fit(x, y, { epochs: 4, batchSize: 8, verbose: 0, callbacks });
    const small = await shrink(model);
    expect(small.getLayer('units').outputShape.at(-1)).toBe(networks[name]!().units - 2);
  });
});
