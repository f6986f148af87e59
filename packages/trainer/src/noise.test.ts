import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oneShot, type Pruner } from '@espalier/core';
import { useEngine } from '@espalier/engine';
import type { Noise } from '@espalier/noise';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkTraining, type Examples, train } from './index.ts';
import { runFolder } from './node.ts';
import { withNoise } from './noise.ts';

const gaussian: Noise = { kind: 'gaussian', level: 0.3 };

function network(optimizer: tf.Optimizer = tf.train.adam(0.01)): tfl.Sequential {
  const kernelInitializer = tfl.initializers.glorotNormal({ seed: 1 });
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 8, activation: 'relu', inputShape: [4], kernelInitializer, name: 'd1' }),
      tfl.layers.dense({ units: 2, activation: 'softmax', kernelInitializer, name: 'd2' }),
    ],
  });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** Learns nothing: what changes is the noise. */
const still = (): tfl.Sequential => network(tf.train.sgd(0));

function examples(rows: number, seed: number): Examples {
  return tf.tidy(() => {
    const x = tf.randomUniform([rows, 4], -1, 1, 'float32', seed);
    const y = tf.cast(tf.oneHot(tf.cast(tf.greater(tf.sum(x, 1), 0), 'int32'), 2), 'float32');
    return { x, y };
  });
}

const valuesOf = async (model: tfl.LayersModel) =>
  Promise.all(model.getWeights().map(async (weight) => Array.from(await weight.data())));

beforeAll(async () => {
  if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
});

afterEach(() => {
  tf.disposeVariables();
});

describe('withNoise', () => {
  it('lends a noisy copy, leaves the examples as they are, and nothing behind', async () => {
    const clean = examples(20, 1);
    const before = await clean.x.array();
    const { numTensors } = tf.memory();
    let lent: unknown;
    await withNoise(clean, [gaussian], '1/0', async ({ x, y }) => {
      expect(y).toBe(clean.y);
      expect(x.shape).toEqual([20, 4]);
      lent = await x.array();
    });
    expect(lent).not.toEqual(before);
    expect(await clean.x.array()).toEqual(before);
    const failing = withNoise(clean, [gaussian], '1/0', () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('lends the examples themselves where there is no noise', async () => {
    const clean = examples(5, 1);
    await withNoise(clean, [], '1/0', async (same) => expect(same).toBe(clean));
  });
});

describe('a training with noise', () => {
  const options = { epochs: 3, seed: 2, noise: [gaussian] };

  it('is the same for the same seed, and not what it is without', async () => {
    const data = { train: examples(80, 1) };
    const [one, same, another, clean] = [
      await train(network(), data, options),
      await train(network(), data, options),
      await train(network(), data, { ...options, seed: 3 }),
      await train(network(), data, { ...options, noise: [] }),
    ].map(({ model }) => valuesOf(model));
    expect(await same).toEqual(await one);
    expect(await another).not.toEqual(await one);
    expect(await clean).not.toEqual(await one);
  });

  it('draws it anew in every epoch, and validates on what is clean', async () => {
    const data = { train: examples(80, 1), validation: examples(40, 2) };
    const model = still();
    const { events } = await train(model, data, options);
    const epochs = events.filter((event) => event.type === 'epoch');
    expect(new Set(epochs.map(({ loss }) => loss)).size).toBe(3);
    expect(new Set(epochs.map(({ valLoss }) => valLoss)).size).toBe(1);
    const [clean] = model.evaluate(data.validation.x, data.validation.y) as tf.Scalar[];
    expect(epochs[0]!.valLoss).toBeCloseTo((await clean!.data())[0]!, 5);
  });

  it('judges units on clean examples', async () => {
    const data = { train: examples(80, 1) };
    const activity: Pruner<tf.Tensor> = {
      name: 'activity',
      needs: ['activations'],
      init: (units) => tf.zeros([units]),
      onBatchEnd: ({ activations }, total) => tf.add(total, tf.sum(activations, 0)),
      score: (_, total) => total,
    };
    const pruning = { pruner: activity as Pruner, budget: { count: 2 }, schedule: oneShot({ after: 0.5 }) };
    const scores = [];
    for (const noise of [[gaussian], []]) {
      const { plans } = await train(still(), data, { ...options, noise, pruning });
      scores.push(plans.map(({ groups }) => groups.map((group) => group.scores)));
    }
    expect(scores[0]!.length).toBe(1);
    expect(scores[0]).toEqual(scores[1]);
  });

  it('goes on after an interruption as if nothing had happened', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'espalier-noise-'));
    try {
      const data = { train: examples(80, 1) };
      const whole = await train(network(), data, options);
      const run = await runFolder(folder);
      await train(network(), data, { ...options, epochs: 2, onEpochEnd: run.checkpoint });
      const state = (await run.resume())!;
      const resumed = await train(state.model, data, { ...options, resume: state });
      expect(await valuesOf(resumed.model)).toEqual(await valuesOf(whole.model));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('is refused before it begins where the noise makes no sense', () => {
    const check = (noise: Noise) => () => checkTraining(network(), { epochs: 1, noise: [noise] });
    expect(check({ kind: 'gaussian', level: -1 })).toThrow('[noise] a level of gaussian is');
    expect(check({ kind: 'shift', level: 1 })).toThrow('[noise] shift is for images');
    expect(check(gaussian)).not.toThrow();
  });
});
