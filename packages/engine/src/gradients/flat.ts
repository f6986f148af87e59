import * as tf from '@tensorflow/tfjs-core';

const flat = (kernelName: string, ...inputs: string[]): tf.GradConfig => ({
  kernelName,
  inputsToSave: inputs,
  gradFunc: (_, saved) =>
    Object.fromEntries(inputs.map((name, i) => [name, () => tf.zerosLike(tf.cast(saved[i]!, 'float32'))])),
});

/**
 * Missing from tfjs-core: comparisons are flat, as its own GreaterEqual says, but without these gradients nothing
 * below a ThresholdedReLU or a Masking can be trained.
 */
export const flatGradients: readonly tf.GradConfig[] = [
  flat(tf.Greater, 'a', 'b'),
  flat(tf.Less, 'a', 'b'),
  flat(tf.LessEqual, 'a', 'b'),
  flat(tf.Equal, 'a', 'b'),
  flat(tf.NotEqual, 'a', 'b'),
  flat(tf.Any, 'x'),
  flat(tf.All, 'x'),
];
