import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { prune } from '../callback.ts';
import { plan } from '../plan/plan.ts';
import { dataOf, namesOf, reloaded } from '../test-models/compare.ts';
import { smallMlp, smallResNet, task } from '../test-models/fixed.ts';
import { anyScores } from '../test-models/pruners.ts';
import { mask } from './mask.ts';
import { shrink } from './shrink.ts';

const optimizers: Readonly<Record<string, () => tf.Optimizer>> = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.02, 0.9),
  nesterov: () => tf.train.momentum(0.02, 0.9, true),
  rmsprop: () => tf.train.rmsprop(0.01),
  'rmsprop with momentum': () => tf.train.rmsprop(0.01, 0.9, 0.5),
  'centered rmsprop': () => tf.train.rmsprop(0.01, 0.9, 0.5, 1e-14, true),
  adam: () => tf.train.adam(0.01),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.5),
  adamax: () => tf.train.adamax(0.01),
};

/** The largest difference between two models' weights, relative to the largest weight of each tensor. */
function weightDifference(a: LayersModel, b: LayersModel): number {
  const [left, right] = [dataOf(a), dataOf(b)];
  expect(left.map((values) => values.length)).toEqual(right.map((values) => values.length));
  return Math.max(
    ...left.map((values, i) => {
      const largest = Math.max(1e-3, ...values.map(Math.abs));
      return Math.max(...values.map((value, j) => Math.abs(value - right[i]![j]!))) / largest;
    }),
  );
}

const epoch = { epochs: 1, batchSize: 4, shuffle: false, verbose: 0 } as const;

describe('shrinking, then training on, is masking, then training on', () => {
  for (const [name, optimizer] of Object.entries(optimizers)) {
    // TensorFlow.js's centered RMSProp makes NaN of a weight that never had a gradient, such as a masked one's
    for (const trainedBefore of name.startsWith('centered') ? [true] : [true, false]) {
      it(`${name}, ${trainedBefore ? 'in the middle of training' : 'before any training'}`, async () => {
        const model = smallResNet();
        model.compile({ optimizer: optimizer(), loss: 'meanSquaredError' });
        const { x, y } = task(model, 8);
        if (trainedBefore) await model.fit(x, y, { ...epoch, epochs: 2 });
        const before = dataOf(model);
        const made = await plan(model, {
          pruner: anyScores(3),
          budget: { fraction: 0.5 },
          scope: ['channel', 'neuron', 'feature'],
        });
        const small = await shrink(model, made);
        expect(dataOf(model), 'shrink leaves the given model alone').toEqual(before);
        await mask(model, made);
        const hold = prune(anyScores(3), { budget: { fraction: 0 } });
        const first = dataOf(small);
        for (let step = 0; step < 4; step++) {
          await model.fit(x, y, { ...epoch, callbacks: hold });
          await small.fit(x, y, epoch);
          const cut = await shrink(model);
          expect(weightDifference(cut, small), `step ${step}`).toBeLessThan(2e-5);
          cut.dispose();
        }
        expect(dataOf(small), 'it trains').not.toEqual(first);
      });
    }
  }
});

describe('the smaller model', () => {
  const half = { pruner: anyScores(3), budget: { fraction: 0.5 } };

  it('is compiled as the given one: loss, metrics, optimizer and its settings', async () => {
    const model = smallResNet();
    model.compile({
      optimizer: tf.train.adam(0.003, 0.8, 0.95, 1e-5),
      loss: 'meanSquaredError',
      metrics: ['mae', 'accuracy'],
    });
    const small = await shrink(model, await plan(model, half));
    expect(small.loss).toBe(model.loss);
    expect(small.metrics).toEqual(model.metrics);
    expect(small.optimizer).not.toBe(model.optimizer);
    expect(small.optimizer.getClassName()).toBe('Adam');
    expect(small.optimizer.getConfig()).toEqual(model.optimizer.getConfig());
    const { x, y } = task(model, 4);
    expect(small.metricsNames).toEqual(model.metricsNames);
    expect(small.evaluate(x, y)).toHaveLength(3);
  });

  it('is not compiled if the given one is not', async () => {
    const model = smallMlp();
    const small = await shrink(model, await plan(model, half));
    expect(small.optimizer).toBeUndefined();
  });

  it('keeps what is frozen frozen, layer by layer and model by model', async () => {
    const model = smallResNet();
    model.getLayer('hidden').trainable = false;
    model.getLayer('block').trainable = false;
    const small = await shrink(model, await plan(model, half));
    const trained = (one: LayersModel) => one.trainableWeights.map(({ originalName }) => originalName);
    expect(trained(small)).toEqual(trained(model));
    expect(small.getLayer('block').trainable).toBe(false);
  });

  it('carries over the optimizer of a model of which a part is frozen', async () => {
    const model = smallResNet();
    model.getLayer('stem').trainable = false;
    model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
    const { x, y } = task(model, 8);
    await model.fit(x, y, epoch);
    const made = await plan(model, half);
    const small = await shrink(model, made);
    await mask(model, made);
    await model.fit(x, y, { ...epoch, callbacks: prune(anyScores(3), { budget: { fraction: 0 } }) });
    await small.fit(x, y, epoch);
    expect(weightDifference(await shrink(model), small)).toBeLessThan(2e-5);
  });

  it('keeps regularizers, constraints and initializers', async () => {
    const model = smallMlp();
    const layer = model.getLayer('first').getConfig();
    const small = await shrink(model, await plan(model, half));
    const { units, ...rest } = small.getLayer('first').getConfig();
    expect(rest).toEqual({ ...layer, units: undefined });
    expect(units).toBe(3);
  });

  it('keeps names through saving and loading, and can be planned, shrunk and loaded again', async () => {
    const model = smallResNet();
    const small = await shrink(model, await plan(model, { ...half, scope: ['neuron', 'feature'] }));
    const loaded = await reloaded(small);
    expect(namesOf(loaded)).toEqual(namesOf(model));
    expect(loaded.getLayer('flat').getClassName()).toBe('FeatureSelection');
    const made = await plan(small, { ...half, scope: ['channel', 'neuron', 'feature'] });
    const smallest = await shrink(loaded, made);
    expect(smallest.countParams()).toBe(made.cost.after.params);
    expect((await reloaded(smallest)).countParams()).toBe(made.cost.after.params);
  });

  it('goes on from a Sequential model whose fit was pruned by a callback', async () => {
    const model = smallMlp();
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const { x, y } = task(model, 8);
    await model.fit(x, y, { ...epoch, callbacks: prune(anyScores(3), { budget: { fraction: 0.5 } }) });
    const small = await shrink(model);
    expect(small.getLayer('first').outputShape).toEqual([null, 3]);
    expect(small.getClassName()).toBe('Sequential');
    await small.fit(x, y, epoch);
  });

  it('leaks no tensor, but for its own weights and slots', async () => {
    const model = smallResNet();
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const { x, y } = task(model, 8);
    await model.fit(x, y, epoch);
    const made = await plan(model, half);
    const before = tf.memory().numTensors;
    const small = await shrink(model, made);
    small.dispose();
    expect(tf.memory().numTensors).toBe(before);
    await mask(model, made);
    expect(tf.memory().numTensors).toBe(before);
  });
});
