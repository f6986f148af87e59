import * as tf from '@tensorflow/tfjs-layers';
import { checkOneOf, checkWhole, checkWidths, fail } from './check.ts';

/** The activations that the hidden layers may have. */
export const activations = [
  'elu',
  'gelu',
  'linear',
  'relu',
  'selu',
  'sigmoid',
  'softplus',
  'swish',
  'tanh',
] as const;

/** What the hidden layers put their sums through. */
export type Activation = (typeof activations)[number];

/** Makes the kernel initializer of the next layer. */
export type NextInitializer = () => ReturnType<typeof tf.initializers.glorotUniform>;

/** How a layer's kernel begins, and what is added to the loss for it. */
export interface KernelArgs {
  readonly kernelInitializer: ReturnType<NextInitializer>;
  readonly kernelRegularizer?: ReturnType<typeof tf.regularizers.l2>;
}

/** The next layer's kernel, with weight decay if there is any. */
export const kernelArgs = (next: NextInitializer, l2: number): KernelArgs => ({
  kernelInitializer: next(),
  ...(l2 && { kernelRegularizer: tf.regularizers.l2({ l2 }) }),
});

/**
 * Glorot initializers, each with a seed of its own: with one seed for all, TensorFlow.js would draw the
 * same numbers for every layer.
 */
export const initializersFrom = (seed: number): NextInitializer => {
  checkWhole('seed', seed, 0);
  let drawn = 0;
  return () => {
    drawn += 1;
    // An integer hash of both, so that seeds 1 and 2 share no kernel. TensorFlow.js takes a seed of 0 for
    // "unseeded", hence the + 1.
    let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(drawn, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return tf.initializers.glorotUniform({ seed: ((hash ^ (hash >>> 13)) >>> 1) + 1 });
  };
};

/** The dense end of a network. */
export interface Head {
  readonly dense: readonly number[];
  readonly classes: number;
  readonly activation: Activation;
  readonly dropout: number;
  readonly l2: number;
}

/** `what` is the caller's own name for `dense`. */
export const checkHead = (what: string, { dense, classes, activation, dropout, l2 }: Head): void => {
  checkWidths(what, dense);
  checkWhole('classes', classes, 2);
  checkOneOf('activation', activation, activations);
  if (!(dropout >= 0 && dropout < 1)) fail(`dropout must be 0 or more and below 1, got ${dropout}`);
  if (!(l2 >= 0 && l2 < Number.POSITIVE_INFINITY)) fail(`l2 must be a number of 0 or more, got ${l2}`);
};

/**
 * The layers `fc1`, `fc2`, ..., the last with a softmax over the classes. Dropout is left unseeded: a
 * seeded dropout layer of TensorFlow.js draws the same mask for every batch, which is no dropout.
 */
export const addHead = (model: tf.Sequential, head: Head, next: NextInitializer): void => {
  const { dense, classes, activation, dropout, l2 } = head;
  for (const [i, units] of dense.entries()) {
    model.add(tf.layers.dense({ name: `fc${i + 1}`, units, activation, ...kernelArgs(next, l2) }));
    if (dropout > 0) model.add(tf.layers.dropout({ name: `dropout${i + 1}`, rate: dropout }));
  }
  const name = `fc${dense.length + 1}`;
  model.add(tf.layers.dense({ name, units: classes, activation: 'softmax', ...kernelArgs(next, l2) }));
};
