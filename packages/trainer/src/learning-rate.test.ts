import { useEngine } from '@espalier/engine';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cosineRate, disposeModel, type LearningRate, train } from './index.ts';

const optimizers: Readonly<Record<string, (rate: number) => tf.Optimizer>> = {
  sgd: tf.train.sgd,
  momentum: (rate) => tf.train.momentum(rate, 0.9),
  rmsprop: tf.train.rmsprop,
  adam: tf.train.adam,
  adamax: tf.train.adamax,
  adagrad: tf.train.adagrad,
  adadelta: tf.train.adadelta,
};

function network(optimizer: tf.Optimizer): tfl.LayersModel {
  const kernelInitializer = tfl.initializers.glorotNormal({ seed: 3 });
  const model = tfl.sequential({
    layers: [tfl.layers.dense({ units: 2, activation: 'softmax', inputShape: [3], kernelInitializer })],
  });
  model.compile({ optimizer, loss: 'categoricalCrossentropy' });
  return model;
}

beforeAll(async () => {
  if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
});

describe('cosineRate', () => {
  it('falls from the start to 0, slowly at both ends', () => {
    const rate = cosineRate(0.4);
    expect([0, 1 / 3, 0.5, 2 / 3, 1].map((done) => Number(rate(done).toFixed(12)))).toEqual([
      0.4, 0.3, 0.2, 0.1, 0,
    ]);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses to start at %d', (start) => {
    expect(() => cosineRate(start)).toThrow(`[trainer] a learning rate must be above 0, got ${start}`);
  });
});

describe('train with a learning rate', () => {
  let x: tf.Tensor;
  let y: tf.Tensor;
  beforeEach(() => {
    x = tf.randomNormal([8, 3], 0, 1, 'float32', 5);
    y = tf.tensor([0, 1, 1, 0, 1, 0, 0, 1].map((label) => [label, 1 - label]));
  });
  afterEach(() => tf.dispose([x, y]));

  /** The kernel after each epoch. */
  const kernels = async (optimizer: tf.Optimizer, epochs: number, learningRate?: LearningRate) => {
    const model = network(optimizer);
    const seen: number[][] = [];
    const onEpochEnd = async () => {
      seen.push([...(await model.getWeights()[0]!.data())]);
    };
    await train(model, { train: { x, y } }, { epochs, onEpochEnd, ...(learningRate && { learningRate }) });
    disposeModel(model);
    return seen;
  };

  it.each(Object.entries(optimizers))('%s goes by it, not by its own', async (_, optimizer) => {
    const before = tf.memory().numTensors;
    const own = await kernels(optimizer(0.01), 3);
    // tf.train.momentum's own dispose leaves a tensor behind
    const left = tf.memory().numTensors - before;
    expect(await kernels(optimizer(0.9), 3, () => 0.01)).toEqual(own);
    expect(tf.memory().numTensors).toBe(before + 2 * left);
  });

  it('asks with the share of the epochs that are done', async () => {
    const asked: number[] = [];
    await kernels(tf.train.sgd(1), 4, (done) => asked.push(done) && 0.1);
    expect(asked).toEqual([0, 0.25, 0.5, 0.75]);
  });

  it('says so when it is no rate', async () => {
    await expect(kernels(tf.train.sgd(1), 1, () => Number.NaN)).rejects.toThrow(
      '[trainer] a learning rate must be at least 0, got NaN',
    );
  });
});
