import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { CustomCallback, type LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { byRank } from '../plan/by-rank.ts';
import type { Evidence, ScorePruner } from '../pruner.ts';
import { smallMlp, smallResNet, task } from '../test-models/fixed.ts';
import { watch } from '../watch-callback.ts';

type Rows = number[][];

/** Writes down what it sees of one group, and how often it is asked. */
function witness(pools: boolean, group: string, ...needs: Evidence[]) {
  const found = { calls: [] as number[], activations: [] as Rows, errors: [] as Rows };
  const pruner: ScorePruner = {
    name: pools ? 'pooling' : 'each',
    needs,
    pools,
    onBatchEnd(seen, state) {
      if (seen.group !== group) return state;
      found.calls.push(seen.patterns);
      if (needs.includes('activations')) found.activations.push(...(seen.activations.arraySync() as Rows));
      if (needs.includes('errors')) found.errors.push(...(seen.errors.arraySync() as Rows));
      return state;
    },
    score: ({ bias }) => tf.zerosLike(bias),
  };
  return { pruner, found };
}

const compiled = (model: LayersModel): LayersModel => {
  model.compile({ optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError' });
  return model;
};

const networks = [
  ['smallMlp', () => compiled(smallMlp()), 'first'],
  ['smallResNet', () => compiled(smallResNet()), 'stem'],
] as const;

describe.each(networks)('a criterion that pools, on %s', (_, network, group) => {
  it('sees what one that looks at each batch sees, less often', async () => {
    const model = network();
    const { x, y } = task(model, 10);
    const [pooling, each] = [true, false].map((pools) => witness(pools, group, 'activations', 'errors'));
    const before = tf.memory().numTensors;
    const callback = watch({
      pruner: byRank({ pruners: [pooling!.pruner, each!.pruner] }),
      budget: { count: 1 },
    });
    const once = { epochs: 2, batchSize: 4, shuffle: false, verbose: 0 } as const;
    await model.fit(x, y, { ...once, callbacks: callback });
    await callback.plan();
    callback.dispose();
    expect(each!.found.calls).toEqual([4, 4, 2, 4, 4, 2]);
    // batches of another size, and another epoch, are not mixed with those that wait
    expect(pooling!.found.calls).toEqual([8, 2, 8, 2]);
    expect(pooling!.found.activations).toEqual(each!.found.activations);
    expect(pooling!.found.errors).toEqual(each!.found.errors);
    expect(tf.memory().numTensors).toBe(before);
  });
});

it('many numbers do not wait', async () => {
  const model = compiled(smallMlp());
  const { x, y } = task(model, 44_000);
  const { pruner, found } = witness(true, 'first', 'activations');
  const callback = watch({ pruner, scope: ['first'], budget: { count: 1 } });
  await model.fit(x, y, { epochs: 1, batchSize: 2000, verbose: 0, callbacks: callback });
  // 6 units: 12,000 numbers a batch
  expect(found.calls).toEqual([22_000, 22_000]);
  callback.dispose();
});

it('a criterion that pools sees the optimizer’s steps that one sees that looks at each', async () => {
  const model = compiled(smallResNet());
  const { x, y } = task(model, 10);
  const watched = model.layers.find((layer) => layer.name === 'stem')!;
  const steps = (pools: boolean) => {
    const found: Record<string, number[][][]> = {};
    const note = (name: string, tensor: tf.Tensor3D) => {
      found[name] = [...(found[name] ?? []), ...tensor.arraySync()];
    };
    const pruner: ScorePruner = {
      name: pools ? 'pooling' : 'each',
      needs: ['updates'],
      pools,
      onBatchEnd({ updates: { incoming, outgoing } }, state) {
        for (const name of ['gradient', 'before', 'after'] as const) {
          note(`into, ${name}`, incoming[name]);
          note(`out, ${name}`, outgoing[name]);
        }
        return state;
      },
      score: ({ bias }) => tf.zerosLike(bias),
    };
    return { pruner, found };
  };
  const [pooling, each] = [steps(true), steps(false)];
  const before = tf.memory().numTensors;
  const callback = watch({
    pruner: byRank({ pruners: [pooling.pruner, each.pruner] }),
    scope: ['stem'],
    budget: { count: 1 },
  });
  // weights that change between two steps of the optimizer
  const meddling = new CustomCallback({
    onBatchBegin: async () => {
      const [kernel, ...rest] = watched.getWeights();
      tf.tidy(() => watched.setWeights([tf.mul(kernel!, 1.5), ...rest]));
    },
  });
  const once = { epochs: 2, batchSize: 4, shuffle: false, verbose: 0 } as const;
  await model.fit(x, y, { ...once, callbacks: [meddling, callback] });
  await callback.plan();
  callback.dispose();
  expect(each.found['into, before']).toHaveLength(6);
  expect(each.found['into, before']![1]).not.toEqual(each.found['into, after']![0]);
  expect(pooling.found).toEqual(each.found);
  expect(tf.memory().numTensors - before).toBe(0);
});

it('where the optimizer steps several times in a batch, the last step is seen and nothing is left', async () => {
  const model = compiled(smallMlp());
  const { x, y } = task(model, 8);
  const first = model.layers[0]!;
  const found: Rows[] = [];
  const pruner: ScorePruner = {
    name: 'stepping',
    needs: ['updates'],
    pools: true,
    onBatchEnd({ updates }, state) {
      found.push(...(updates.incoming.before.arraySync() as Rows[]));
      return state;
    },
    score: ({ bias }) => tf.zerosLike(bias),
  };
  const callback = watch({ pruner, scope: ['first'], budget: { count: 1 } });
  const between: Rows[] = [];
  const more = new CustomCallback({
    onBatchBegin: async () => {
      await model.trainOnBatch(x, y);
      between.push(first.getWeights()[0]!.arraySync() as Rows);
    },
  });
  const before = tf.memory().numTensors;
  await model.fit(x, y, { epochs: 1, batchSize: 4, verbose: 0, callbacks: [more, callback] });
  await callback.plan();
  callback.dispose();
  expect(found).toEqual(between);
  expect(tf.memory().numTensors).toBe(before);
});

it('what waits is freed with the watching, seen or not', async () => {
  const model = compiled(smallMlp());
  const { x, y } = task(model, 8);
  const callback = watch({ pruner: witness(true, 'first', 'errors').pruner, budget: { count: 1 } });
  const before = tf.memory().numTensors;
  await model.fit(x, y, { epochs: 1, batchSize: 4, verbose: 0, callbacks: callback });
  expect(tf.memory().numTensors).toBeGreaterThan(before);
  callback.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
