import { cosineRate, type Examples, train } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, type LayersModel, layers, regularizers, sequential } from '@tensorflow/tfjs-layers';
import type { Digits } from '../digits.ts';
import { DECAY, type Network, type Recipe } from './paper.ts';

/** A network of the table, not trained yet: relu after every layer, softmax over the classes. */
export function networkFor(
  { conv, hidden }: Pick<Network, 'conv' | 'hidden'>,
  { inputShape, classes }: Pick<Digits, 'inputShape' | 'classes'>,
  seed: number,
): LayersModel {
  let made = 0;
  const kernel = () => ({
    // each layer draws from a seed of its own
    kernelInitializer: initializers.glorotUniform({ seed: 100 * seed + ++made }),
    kernelRegularizer: regularizers.l2({ l2: DECAY }),
  });
  const model = sequential();
  model.add(layers.inputLayer({ name: 'image', inputShape: [...inputShape] }));
  for (const [i, filters] of conv.entries()) {
    const window = { kernelSize: 5, activation: 'relu' } as const;
    model.add(layers.conv2d({ name: `conv${i + 1}`, filters, ...window, ...kernel() }));
  }
  if (conv.length > 0) model.add(layers.maxPooling2d({ name: 'pool', poolSize: 2 }));
  model.add(layers.flatten({ name: 'flatten' }));
  for (const [i, units] of [...hidden, classes].entries()) {
    const activation = i < hidden.length ? 'relu' : 'softmax';
    model.add(layers.dense({ name: `fc${i + 1}`, units, activation, ...kernel() }));
  }
  return compiled(model, 0);
}

/** The model with an optimizer that knows nothing of its past. */
export function compiled(model: LayersModel, rate: number): LayersModel {
  model.compile({ optimizer: tf.train.adam(rate), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** Trains a network in place; its pruned weights stay 0. */
export async function fit(
  model: LayersModel,
  examples: Examples,
  { epochs, batchSize, rate }: Recipe,
  seed: number,
): Promise<void> {
  compiled(model, rate);
  await train(model, { train: examples }, { epochs, batchSize, learningRate: cosineRate(rate), seed });
}
