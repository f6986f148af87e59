import '@tensorflow/tfjs-backend-cpu';
import { everyEpochs, plan, prune, shrink, watch } from '@espalier/core';
import { batch, judge, type Matrix, testPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import { CustomCallback, layers, type Sequential, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, describe, expect, it } from 'vitest';
import { PAPER_THRESHOLD, type SensitivityArgs, sensitivity, stepAngle, weightSensitivity } from './index.ts';

/** One update of the weights that feed (or read) the units. */
const step = (of: 'incoming' | 'outgoing', gradient: Matrix, before: Matrix, after: Matrix) =>
  batch({ [of]: before, updates: { [of]: { gradient, before, after } } });

/** Two updates; core judges by the weights after the last, so they come as a batch of their own. */
const course = (of: 'incoming' | 'outgoing', transposed = false) => {
  const turn = (matrix: Matrix) =>
    transposed ? matrix[0]!.map((_, column) => matrix.map((row) => row[column]!)) : matrix;
  const [first, second, last] = [
    [
      [1, 4],
      [-2, 2],
    ],
    [
      [2, 4],
      [-1, 2],
    ],
    [
      [3, 4],
      [1, 4],
    ],
  ].map(turn) as [Matrix, Matrix, Matrix];
  const gradients = [
    [
      [-3, 7],
      [-1, 0],
    ],
    [
      [-2, 7],
      [0.5, -1],
    ],
  ].map(turn) as [Matrix, Matrix];
  return [
    step(of, gradients[0], first, second),
    step(of, gradients[1], second, last),
    step(of, gradients[0], last, last),
  ];
};

describe('sensitivity', () => {
  testPruner(sensitivity);
  testPruner(() => sensitivity({ of: 'outgoing', aggregate: 'mean' }));

  // sums: -3*1 - 2*1 = -5, -1*1 + 0.5*2 = 0; 0, -1*2 = -2
  // S: 5 * 3 / (3 - 1) = 7.5, 0; 0 (it never moved), 2 * 4 / (4 - 2) = 4
  it.each<[SensitivityArgs, number, number]>([
    [{}, 4, 7.5],
    [{ of: 'incoming', aggregate: 'mean' }, 2, 3.75],
    [{ of: 'outgoing' }, 4, 7.5],
    [{ of: 'outgoing', aggregate: 'mean' }, 2, 3.75],
  ])('%j is the size of what is worked by hand', async (args, second, first) => {
    const { of = 'incoming' } = args;
    expect(await judge(sensitivity(args), course(of, of === 'outgoing'))).toEqual([
      { unit: 1, score: second },
      { unit: 0, score: first },
    ]);
  });

  it('counts from the first weights over all epochs', async () => {
    const [one, two, last] = course('incoming');
    expect(await judge(sensitivity(), [one!], [two!, last!])).toEqual(
      await judge(sensitivity(), [one!, two!, last!]),
    );
  });

  it('takes absolute values weight by weight', async () => {
    // S: 1 * 2 / (2 - 1) = 2 and -1 * 2 / (2 - 1) = -2
    const seen = step('incoming', [[-1], [1]], [[1], [1]], [[2], [2]]);
    const last = step('incoming', [[0], [0]], [[2], [2]], [[2], [2]]);
    expect(await judge(sensitivity(), [seen, last])).toEqual([{ unit: 0, score: 4 }]);
  });

  it.each<[SensitivityArgs, string]>([
    [{ of: 'both' as 'incoming' }, "[pruner-sensitivity] of must be 'incoming' or 'outgoing', got 'both'"],
    [{ aggregate: 'max' as 'sum' }, "[pruner-sensitivity] aggregate must be 'sum' or 'mean', got 'max'"],
  ])('refuses %j', (args, message) => {
    expect(() => sensitivity(args)).toThrow(message);
  });
});

describe('weightSensitivity', () => {
  const of = (present: number, initial: number, sum: number) =>
    weightSensitivity(tf.scalar(present), { initial: tf.scalar(initial), sum: tf.scalar(sum) }).dataSync()[0];

  it('keeps the sign: below 0 where the loss would fall', () => {
    expect(of(3, 1, -5)).toBeCloseTo(7.5, 5);
    expect(of(1, 3, -5)).toBeCloseTo(-2.5, 5);
    expect(of(-3, -1, -5)).toBeCloseTo(7.5, 5);
  });

  it('counts a weight that came back as moved by a hundredth of itself', () => {
    expect(of(2, 1.99, -5)).toBeCloseTo(500, 3);
    expect(of(2, 1.9999, -5)).toBeCloseTo(500, 3);
    expect(of(2, 2.0001, -5)).toBeCloseTo(-500, 3);
    expect(of(2, 2, -5)).toBe(0);
    expect(of(0, 1e-3, -5)).toBeCloseTo(0, 5);
    expect(of(0, 0, -5)).toBe(0);
  });
});

describe('stepAngle', () => {
  testPruner(stepAngle);
  testPruner(() => stepAngle({ since: 'step' }));

  const turned = [
    [1, 0, 1, 0],
    [0, 0, 1, 2],
  ];
  const start = [
    [1, 0, 3, 0],
    [0, 0, 3, -1],
  ];
  const later = [
    [0, 0, 2, 1],
    [5, 0, 2, 0],
  ];

  it('is how far the incoming weights turned since the epoch began', async () => {
    const batches = [
      step('incoming', start, start, later),
      step('incoming', start, later, turned),
      step('incoming', start, turned, turned),
    ];
    expect(await judge(stepAngle(), batches)).toEqual([
      { unit: 0, score: 0 },
      { unit: 1, score: 0 },
      { unit: 2, score: 0 },
      { unit: 3, score: expect.closeTo(180, 4) },
    ]);
  });

  it('is how far they turned in the last step', async () => {
    const seen = step('incoming', start, later, turned);
    const pruner = stepAngle({ since: 'step' });
    const state = pruner.onBatchEnd!(seen, undefined);
    const now = batch({ incoming: turned });
    const degrees = Array.from(pruner.score(now, state).dataSync());
    [90, 0, 0, 90].forEach((angle, unit) => {
      expect(degrees[unit]).toBeCloseTo(angle, 4);
    });
  });

  it('tells small angles', async () => {
    const radians = 1e-4;
    const before = batch({ incoming: [[1], [1]] });
    const after = batch({ incoming: [[Math.cos(Math.PI / 4 + radians)], [Math.sin(Math.PI / 4 + radians)]] });
    const pruner = stepAngle();
    const state = pruner.onEpochBegin!(before, undefined);
    expect(pruner.score(after, state).dataSync()[0]).toBeCloseTo((radians * 180) / Math.PI, 5);
  });

  it('refuses another span', () => {
    expect(() => stepAngle({ since: 'batch' as 'step' })).toThrow(
      "[pruner-sensitivity] since must be 'epoch' or 'step', got 'batch'",
    );
  });
});

describe('in model.fit', () => {
  const x = tf.randomUniform<tf.Rank.R2>([24, 3], -1, 1, 'float32', 'x');
  const y = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: 24 }, (_, i) => i % 2),
      'int32',
    ),
    2,
  );
  const fit = { epochs: 4, batchSize: 8, verbose: 0, shuffle: false } as const;
  let model: Sequential;
  const network = (optimizer: tf.Optimizer) => {
    model = sequential();
    model.add(layers.dense({ units: 5, inputShape: [3], activation: 'tanh', name: 'hidden' }));
    model.add(layers.dense({ units: 2, activation: 'softmax', name: 'out' }));
    model.compile({ optimizer, loss: 'categoricalCrossentropy' });
    return model;
  };
  const kernelOf = (name: string) => model.getLayer(name).getWeights()[0]!.arraySync() as number[][];
  afterEach(() => model.dispose());

  it.each([
    ['sgd', () => tf.train.sgd(0.2)],
    ['rmsprop', () => tf.train.rmsprop(0.02)],
  ])('follows the loss down by the updates of %s', async (_, optimizer) => {
    network(optimizer());
    const initial = kernelOf('hidden');
    // gradients by differences of the loss, at the weights before each update
    const sums = initial.map((row) => row.map(() => 0));
    const course: number[][][] = [initial];
    const keep = new CustomCallback({ onBatchEnd: async () => void course.push(kernelOf('hidden')) });
    const watching = watch({ pruner: sensitivity(), budget: { count: 1 } });
    const others: tf.Tensor[][] = [];
    const keepOthers = new CustomCallback({
      onBatchBegin: async () => void others.push(model.getWeights().map((weight) => weight.clone())),
    });
    await model.fit(x, y, { ...fit, epochs: 2, callbacks: [watching, keep, keepOthers] });
    const trained = model.getWeights().map((weight) => weight.clone());
    const found = await watching.plan({ count: 4 });
    for (const [n, weights] of others.entries()) {
      const [part, targets] = [x, y].map((all) => tf.slice(all, ((n % 3) * 8) as 0, 8));
      initial.forEach((row, i) => {
        row.forEach((_, j) => {
          const lossAt = (by: number) => {
            const kernel = weights[0]!.arraySync() as number[][];
            kernel[i]![j]! += by;
            model.setWeights([tf.tensor2d(kernel), ...weights.slice(1)]);
            return (model.evaluate(part!, targets!) as tf.Scalar).dataSync()[0]!;
          };
          const moved = course[n + 1]![i]![j]! - course[n]![i]![j]!;
          sums[i]![j]! += ((lossAt(0.01) - lossAt(-0.01)) / 0.02) * moved;
        });
      });
    }
    model.setWeights(trained);
    const last = course.at(-1)!;
    const expected = initial[0]!.map((_, unit) =>
      sums.reduce((total, row, i) => {
        const way = last[i]![unit]! - initial[i]![unit]!;
        const least = Math.sign(way) * Math.max(Math.abs(way), 0.01 * Math.abs(last[i]![unit]!));
        return total + Math.abs((row[unit]! * last[i]![unit]!) / least);
      }, 0),
    );
    const { remove, scores } = found.groups[0]!;
    for (const [i, unit] of remove.entries()) {
      expect(Math.abs(scores[i]! / expected[unit]! - 1)).toBeLessThan(0.02);
    }
    watching.dispose();
  });

  it('prunes by the threshold, and the smaller model answers alike', async () => {
    network(tf.train.sgd(0.2));
    const kernel = kernelOf('hidden');
    for (const row of kernel) row[3] = 0;
    const bias = tf.tensor1d([0, 0, 0, 0, 0]);
    model.getLayer('hidden').setWeights([tf.tensor2d(kernel), bias]);
    // a unit that nobody reads gets no gradient, and never moves
    const outgoing = kernelOf('out').map((row, unit) => (unit === 3 ? [0, 0] : row));
    model.getLayer('out').setWeights([tf.tensor2d(outgoing), tf.tensor1d([0, 0])]);
    const callbacks = [
      prune(sensitivity(), {
        schedule: everyEpochs({ every: 2, until: 0.7 }),
        budget: { threshold: PAPER_THRESHOLD },
      }),
    ];
    await model.fit(x, y, { ...fit, callbacks });
    expect(kernelOf('out').map((row) => row.every((weight) => weight === 0))).toEqual([
      false,
      false,
      false,
      true,
      false,
    ]);
    const small = await shrink(model);
    expect(small.getLayer('hidden').outputShape).toEqual([null, 4]);
    const [masked, smaller] = [model, small].map((one) => (one.predict(x) as tf.Tensor).dataSync());
    for (const [i, value] of smaller!.entries()) expect(value).toBeCloseTo(masked![i]!, 5);
    small.dispose();
  });

  it.each(['epoch', 'step'] as const)('prunes by the angle since the last %s', async (since) => {
    network(tf.train.adam(0.05));
    const callbacks = [
      prune(stepAngle({ since }), { schedule: everyEpochs({ every: 2 }), budget: { count: 2 } }),
    ];
    await model.fit(x, y, { ...fit, callbacks });
    expect(kernelOf('out').filter((row) => row.every((weight) => weight === 0))).toHaveLength(2);
  });

  it.each([
    ['sensitivity', sensitivity],
    ['stepAngle', stepAngle],
  ])('%s says that it judges in training only', async (_, make) => {
    network(tf.train.sgd(0.1));
    await expect(plan(model, { pruner: make(), budget: { count: 1 }, data: { x, y } })).rejects.toThrow(
      "looks at the optimizer's updates",
    );
  });
});
