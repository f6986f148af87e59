import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { prune } from '../callback.ts';
import type { ScorePruner } from '../pruner.ts';
import { smallMlp, task } from '../test-models/fixed.ts';
import { watch } from '../watch-callback.ts';
import { restoreState, saveState } from './saved.ts';

const again = async (state: tf.TensorContainer) =>
  restoreState(JSON.parse(JSON.stringify(await saveState(state))));

it('brings back tensors of any kind to the bit, and what lies around them', async () => {
  const values = Float32Array.of(0.1, -0, 1e-45, Number.NaN, Number.NEGATIVE_INFINITY, 3.4e38);
  const before = tf.memory().numTensors;
  const state = {
    sums: [tf.tensor2d(values, [2, 3]), tf.scalar(7, 'int32')],
    seen: tf.tensor1d([true, false], 'bool'),
    empty: tf.zeros([0, 4]),
    best: Number.POSITIVE_INFINITY,
    count: 12,
    name: 'any',
    none: undefined,
  };
  const back = (await again(state)) as typeof state;
  expect(Float32Array.from(back.sums[0]!.dataSync())).toEqual(values);
  expect(back.sums.map(({ shape, dtype }) => [shape, dtype])).toEqual([
    [[2, 3], 'float32'],
    [[], 'int32'],
  ]);
  expect([back.seen.dtype, Array.from(back.seen.dataSync())]).toEqual(['bool', [1, 0]]);
  expect(back.empty.shape).toEqual([0, 4]);
  expect([back.best, back.count, back.name, back.none]).toEqual([
    Number.POSITIVE_INFINITY,
    12,
    'any',
    undefined,
  ]);
  tf.dispose([state, back]);
  expect(tf.memory().numTensors).toBe(before);
});

it('takes a state of more values than a call takes arguments', async () => {
  const state = tf.range(0, 100_000);
  const back = (await again(state)) as tf.Tensor;
  expect(back.dataSync()).toEqual(state.dataSync());
  expect(await again(undefined)).toBeUndefined();
});

it.each([false, true])(
  'a watch goes on from what another one saved, in a model with as many units (pooled: %s)',
  async (pools) => {
    const counting: ScorePruner<tf.Tensor> = {
      name: 'counting',
      needs: ['activations'],
      pools,
      init: (units) => tf.zeros([units]),
      onBatchEnd: ({ patterns }, count) => tf.add(count, patterns / 4),
      score: (_, count) => count,
    };
    const model = smallMlp();
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const { x, y } = task(model, 8);
    const train = (callbacks: ReturnType<typeof watch>) =>
      model.fit(x, y, { batchSize: 4, epochs: 2, verbose: 0, callbacks });
    const pruning = { pruner: counting, budget: { count: { first: 1 } } };
    const first = watch(pruning);
    await train(first);
    const saved = JSON.parse(JSON.stringify(await first.save()));
    first.dispose();
    const second = watch(pruning, saved);
    await train(second);
    expect((await second.plan()).groups[0]!.scores).toEqual([8]);
    second.dispose();
    await train(prune(counting, { budget: { count: { first: 2 } } }));
    const third = watch(pruning, saved);
    await expect(train(third)).rejects.toThrow("6 units in group 'first', the model has 4");
    third.dispose();
  },
);
