import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, model as modelOf, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { hold, prune } from '../callback.ts';
import { plan } from '../plan/plan.ts';
import { mask } from '../surgery/mask.ts';
import { shrink } from '../surgery/shrink.ts';
import { on } from '../test-models/chain.ts';
import { dataOf, reloaded } from '../test-models/compare.ts';
import { smallMlp, task } from '../test-models/fixed.ts';
import { anyScores, scores } from '../test-models/pruners.ts';
import { pruneWeights } from './prune-weights.ts';
import { holdZeros, sparsityOf } from './sparsity.ts';
import type { LayerProblem, WeightScorer, WeightSolver } from './weight-pruner.ts';

const smallest: WeightScorer = { name: 'smallest', score: (kernel) => tf.abs(kernel) };

/** Two dense layers of whole numbers: 2 in, relu(2), 2 out. */
function whole(): LayersModel {
  const model = sequential({
    layers: [
      layers.dense({ units: 2, activation: 'relu', inputShape: [2], name: 'first' }),
      layers.dense({ units: 2, name: 'second' }),
    ],
  });
  model.setWeights([
    tf.tensor2d([4, -1, 3, 2], [2, 2]),
    tf.tensor1d([0, 1]),
    tf.tensor2d([40, 10, -30, 20], [2, 2]),
    tf.tensor1d([0, 0]),
  ]);
  return model;
}

describe('pruneWeights by scores', () => {
  it('takes a share of each kernel, and no bias', async () => {
    const model = whole();
    const { weights, zeros, kernels } = await pruneWeights(model, { pruner: smallest, fraction: 0.5 });
    expect(dataOf(model)).toEqual([
      [4, 0, 3, 0],
      [0, 1],
      [40, 0, -30, 0],
      [0, 0],
    ]);
    expect([weights, zeros]).toEqual([8, 4]);
    expect(kernels[1]).toEqual({ layer: 'second', weight: 'kernel', weights: 4, zeros: 2 });
  });

  it('takes a share of all of them together', async () => {
    const model = whole();
    await pruneWeights(model, { pruner: smallest, fraction: 5 / 8, ranking: 'global' });
    expect(dataOf(model)).toEqual([
      [0, 0, 0, 0],
      [0, 1],
      [40, 0, -30, 20],
      [0, 0],
    ]);
  });

  it('counts what is gone already, and never brings it back', async () => {
    const model = whole();
    await pruneWeights(model, { pruner: smallest, fraction: 0.5 });
    const largest: WeightScorer = { name: 'largest', score: (kernel) => tf.neg(tf.abs(kernel)) };
    await pruneWeights(model, { pruner: largest, fraction: 0.75 });
    expect(dataOf(model)[0]).toEqual([0, 0, 3, 0]);
    await pruneWeights(model, { pruner: largest, fraction: 0.25 });
    expect(dataOf(model)[0]).toEqual([0, 0, 3, 0]);
  });

  it('of equal scores takes so many and no more', async () => {
    const model = whole();
    const equal: WeightScorer = { name: 'equal', score: (kernel) => tf.onesLike(kernel) };
    expect((await pruneWeights(model, { pruner: equal, fraction: 0.75, ranking: 'global' })).zeros).toBe(6);
  });

  it('leaves the model its kernels if the scores are they themselves', async () => {
    const model = whole();
    const signed: WeightScorer = { name: 'signed', score: (kernel) => kernel };
    await pruneWeights(model, { pruner: signed, fraction: 0.25 });
    expect(dataOf(model)[0]).toEqual([4, 0, 3, 2]);
  });

  it('leaves layers alone that should stay', async () => {
    const model = whole();
    await pruneWeights(model, { pruner: smallest, fraction: 0.5, keep: ['fir*'] });
    expect(dataOf(model)[0]).toEqual([4, -1, 3, 2]);
    expect((await sparsityOf(model)).kernels.map(({ zeros }) => zeros)).toEqual([0, 2]);
  });

  it.each([
    [{ pruner: smallest, fraction: 1 }, 'fraction must be at least 0 and below 1, got 1'],
    [{ pruner: smallest, fraction: 0.5, ranking: 'isomorphic' as 'local' }, 'got "isomorphic"'],
    [
      { pruner: smallest, fraction: 0.5, keep: ['scond'] },
      "keep names 'scond', which is no layer with weights. Nearest are: second",
    ],
    [{ pruner: smallest, fraction: 0.5, keep: ['first', 'second'] }, 'keep names them all'],
    [{ pruner: { name: 'flat', score: () => tf.scalar(1) }, fraction: 0.5 }, 'first/kernel, [2,2], got []'],
    [
      { pruner: { name: 'wild', score: (kernel: tf.Tensor) => tf.log(tf.mul(kernel, 0)) }, fraction: 0.5 },
      'wild gives a weight of first/kernel the score -Infinity: every score must be finite',
    ],
  ])('refuses %j', async (pruning, message) => {
    const model = whole();
    const [before, tensors] = [dataOf(model), tf.memory().numTensors];
    await expect(pruneWeights(model, pruning)).rejects.toThrow(message);
    expect(dataOf(model)).toEqual(before);
    expect(tf.memory().numTensors).toBe(tensors);
  });
});

/** Halves weights and takes the first input away; remembers what it saw. */
function halving(form: 'parallel' | 'cascade', seen: Record<string, number[][]>[] = []): WeightSolver {
  return {
    name: 'halving',
    form,
    patterns: 10,
    async solve({ layer, kernel, inputs, sums, rectified, bias }: LayerProblem) {
      const arrays = [inputs, sums].map((tensor) => tensor.arraySync());
      seen.push({ [`${layer} ${rectified}`]: arrays.map((rows) => rows[0]!) });
      return tf.tidy(() => ({
        kernel: tf.mul<tf.Tensor2D>(kernel, [[0], [0.5]]),
        ...(bias && { bias: tf.clone(bias) }),
      }));
    },
  };
}

describe('pruneWeights by solutions', () => {
  const x = tf.tensor2d([[1, 2]]);

  it('shows each layer what it read and summed up, in parallel', async () => {
    const model = whole();
    const seen: Record<string, number[][]>[] = [];
    const { zeros } = await pruneWeights(model, { pruner: halving('parallel', seen), data: { x } });
    expect(zeros).toBe(4);
    // relu of [10, 4] is what the second layer reads: 40 * 10 - 30 * 4, 10 * 10 + 20 * 4
    expect(seen).toEqual([
      {
        'first true': [
          [1, 2],
          [10, 4],
        ],
      },
      {
        'second false': [
          [10, 4],
          [280, 180],
        ],
      },
    ]);
    expect(dataOf(model)[2]).toEqual([0, 0, -15, 10]);
  });

  it('does not call sums rectified that the model puts out, too', async () => {
    const at = input({ shape: [2] });
    const [sums] = on(layers.dense({ units: 2, name: 'first' }), at);
    const [relu] = on(layers.reLU(), sums!);
    const seen: Record<string, number[][]>[] = [];
    const pruning = { pruner: halving('parallel', seen), data: { x } };
    await pruneWeights(modelOf({ inputs: at, outputs: relu! }), pruning);
    await pruneWeights(modelOf({ inputs: at, outputs: [sums!, relu!] }), pruning);
    expect(seen.flatMap((one) => Object.keys(one))).toEqual(['first true', 'first false']);
  });

  it('shows it what the pruned layers before it leave, in cascade', async () => {
    const model = whole();
    const seen: Record<string, number[][]>[] = [];
    await pruneWeights(model, { pruner: halving('cascade', seen), data: { x } });
    // 2 * 1.5, 2 * 1 + 1
    expect(seen[1]).toEqual({
      'second false': [
        [3, 3],
        [280, 180],
      ],
    });
  });

  it.each(['parallel', 'cascade'] as const)('reads no masked unit again, %s', async (form) => {
    const model = whole();
    await mask(model, await plan(model, { pruner: scores(0, 9), budget: { count: 1 } }));
    const inputs: number[][] = [];
    const solver: WeightSolver = {
      ...halving(form),
      solve: async (problem) => {
        if (problem.layer === 'second') inputs.push(...problem.inputs.arraySync());
        return { kernel: tf.onesLike(problem.kernel) };
      },
    };
    await pruneWeights(model, { pruner: solver, data: { x } });
    // the second unit's relu(2 * 2 - 1 + 1), or relu(1 + 2 + 1) in cascade
    expect(inputs).toEqual([[0, 4]]);
    expect(dataOf(model)[2]).toEqual([0, 0, 1, 1]);
    const [masked, small] = [model, await shrink(model)].map((one) =>
      (one.predict(x) as tf.Tensor).dataSync(),
    );
    expect(small).toEqual(masked);
  });

  it('leaves the model as it was if the solver fails', async () => {
    const model = whole();
    const [before, tensors] = [dataOf(model), tf.memory().numTensors];
    const solver = halving('cascade');
    const failing: WeightSolver = {
      ...solver,
      solve: async (problem) =>
        problem.layer === 'first' ? solver.solve(problem) : { kernel: tf.fill([2, 2], Number.NaN) },
    };
    await expect(pruneWeights(model, { pruner: failing, data: { x } })).rejects.toThrow('second/kernel');
    expect(dataOf(model)).toEqual(before);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('asks for data, as tensors, and for layers that are a product', async () => {
    const rows = { x: [[1, 2]] } as never;
    await expect(pruneWeights(whole(), { pruner: halving('parallel'), data: rows })).rejects.toThrow(
      '[core] data.x and data.y must be tensors',
    );
    await expect(pruneWeights(whole(), { pruner: halving('parallel') } as never)).rejects.toThrow(
      'give data: { x }',
    );
    const depthwise = sequential({
      layers: [layers.depthwiseConv2d({ kernelSize: 2, inputShape: [3, 3, 1] })],
    });
    await expect(pruneWeights(depthwise, { pruner: halving('parallel'), data: { x } })).rejects.toThrow(
      'halving needs dense layers or convolutions',
    );
  });

  it('draws patterns from the last batches as from the first, also at several times', async () => {
    const dense = layers.dense({ units: 1, inputShape: [1], name: 'dense' });
    const each = layers.timeDistributed({ layer: layers.dense({ units: 1 }), inputShape: [10, 1] });
    for (const [layer, times] of [
      [dense, []],
      [each, [10]],
    ] as const) {
      let highest = 0;
      const solver: WeightSolver = {
        ...halving('parallel'),
        solve: async ({ inputs, kernel }) => {
          expect(inputs.shape).toEqual([10, 1]);
          highest = Math.max(...inputs.dataSync());
          return { kernel: tf.clone(kernel) };
        },
      };
      const numbers = tf.reshape(tf.range(0, 200), [200, ...times.map(() => 1), 1]);
      const x = tf.tile(numbers, [1, ...times, 1]);
      await pruneWeights(sequential({ layers: [layer] }), { pruner: solver, data: { x, batchSize: 15 } });
      expect(highest).toBeGreaterThan(150);
    }
  });

  it('draws so many patterns of a convolution', async () => {
    const model = sequential({
      layers: [
        layers.conv2d({
          filters: 1,
          kernelSize: 2,
          inputShape: [4, 4, 1],
          name: 'conv',
          activation: 'linear',
        }),
        layers.maxPooling2d({ poolSize: 3 }),
        layers.activation({ activation: 'relu' }),
        layers.flatten(),
      ],
    });
    const shapes: unknown[] = [];
    const solver: WeightSolver = {
      ...halving('parallel'),
      solve: async ({ inputs, rectified, kernel }) => {
        shapes.push(inputs.shape, rectified);
        return { kernel: tf.clone(kernel) };
      },
    };
    await pruneWeights(model, { pruner: solver, data: { x: tf.ones([20, 4, 4, 1]), batchSize: 7 } });
    expect(shapes).toEqual([[10, 4], true]);
  });
});

describe('single weights that were pruned', () => {
  const fit = { epochs: 2, batchSize: 4, verbose: 0 } as const;
  const zerosIn = (values: readonly number[][]): boolean[][] =>
    values.map((one) => one.map((value) => value === 0));

  async function pruned(): Promise<LayersModel> {
    const model = smallMlp();
    model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: 'meanSquaredError' });
    await pruneWeights(model, { pruner: smallest, fraction: 0.6 });
    return model;
  }

  it('are held by hold() and by prune()', async () => {
    const model = await pruned();
    const { x, y } = task(model, 8);
    const before = dataOf(model);
    const tensors = tf.memory().numTensors;
    await model.fit(x, y, { ...fit, callbacks: hold() });
    // the optimizer's slots
    expect(tf.memory().numTensors - tensors).toBe(6);
    expect(zerosIn(dataOf(model))).toEqual(zerosIn(before));
    expect(dataOf(model)).not.toEqual(before);
    await model.fit(x, y, { ...fit, callbacks: prune(anyScores(1), { budget: { count: 1 } }) });
    const after = zerosIn(dataOf(model));
    zerosIn(before).forEach((values, w) => {
      values.forEach((isZero, i) => void (isZero && expect(after[w]![i]).toBe(true)));
    });
  });

  it('come back in a training that does not hold them', async () => {
    const model = await pruned();
    const { x, y } = task(model, 8);
    const { zeros } = await sparsityOf(model);
    await model.fit(x, y, fit);
    expect((await sparsityOf(model)).zeros).toBeLessThan(zeros / 2);
  });

  it('are held in a model that was loaded, once that is said', async () => {
    const model = await reloaded(await pruned());
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const { x, y } = task(model, 8);
    const before = dataOf(model);
    holdZeros(model);
    await model.fit(x, y, { ...fit, callbacks: hold() });
    expect(zerosIn(dataOf(model))).toEqual(zerosIn(before));
    expect(dataOf(model)).not.toEqual(before);
  });

  it('are held in the smaller model that shrink makes', async () => {
    const model = await pruned();
    const { x, y } = task(model, 8);
    const small = await shrink(model, await plan(model, { pruner: anyScores(1), budget: { count: 1 } }));
    const before = dataOf(small);
    await small.fit(x, y, { ...fit, callbacks: hold() });
    expect(zerosIn(dataOf(small))).toEqual(zerosIn(before));
    expect(dataOf(small)).not.toEqual(before);
  });
});
