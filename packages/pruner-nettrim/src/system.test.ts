import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { systemOf } from './system.ts';

describe('systemOf', () => {
  it.each([
    ['a few inputs', 40, 7],
    ['a few patterns', 7, 40],
    ['inputs that are inverted in blocks', 310, 280],
    ['patterns that are inverted in blocks', 270, 300],
  ])('solves (X’X + I) U = X’a + b with %s', async (_, patterns, inputs) => {
    const x = tf.randomNormal<tf.Rank.R2>([patterns, inputs], 0.5, 1, 'float32', 1);
    const a = tf.randomNormal<tf.Rank.R2>([patterns, 3], 0, 1, 'float32', 2);
    const b = tf.randomNormal<tf.Rank.R2>([inputs, 3], 0, 1, 'float32', 3);
    const tensors = tf.memory().numTensors;
    const system = await systemOf(x);
    tf.tidy(() => {
      const [weights, sums] = system.solve(a, b);
      const left = tf.add(tf.matMul(x, tf.matMul(x, weights), true), weights);
      const right = tf.add(tf.matMul(x, a, true), b);
      const most = (tensor: tf.Tensor) => tf.max(tf.abs(tensor)).dataSync()[0]!;
      // an inverse in float32 leaves the residual 2^-23 times the condition number, which is up to 1.4e4 here
      expect(most(tf.sub(left, right)) / most(right)).toBeLessThan(1.7e-3);
      expect(most(tf.sub(sums, tf.matMul(x, weights)))).toBeLessThan(1e-3);
    });
    system.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
    tf.dispose([x, a, b]);
  });
});
