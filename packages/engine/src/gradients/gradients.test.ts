import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { useEngine } from '../index.ts';

const ramp = (...shape: number[]): tf.Tensor =>
  tf.tidy(() => tf.sin(tf.reshape(tf.range(1, tf.util.sizeFromShape(shape) + 1), shape)));

/** The gradient of sum(f(x) * weights), and what central differences give for it. */
function gradientAndDifferences(f: (x: tf.Tensor) => tf.Tensor, shape: number[]): [number[], number[]] {
  const step = 1 / 64;
  return tf.tidy(() => {
    const x = ramp(...shape);
    const weighted = (at: tf.Tensor): tf.Scalar => {
      const y = f(at);
      return tf.sum(tf.mul(y, ramp(...y.shape)));
    };
    const gradient = Array.from(tf.grad(weighted)(x).dataSync());
    const differences = gradient.map((_, i) => {
      const bump = tf.reshape(tf.mul(step, tf.oneHot(i, x.size)), shape);
      const [up, down] = [weighted(tf.add(x, bump)), weighted(tf.sub(x, bump))];
      return (up.dataSync()[0]! - down.dataSync()[0]!) / (2 * step);
    });
    return [gradient, differences];
  });
}

const image = (): tf.Tensor4D => ramp(1, 6, 6, 2) as tf.Tensor4D;
const cases: Readonly<Record<string, [f: (x: tf.Tensor) => tf.Tensor, shape: number[]]>> = {
  'a dilated convolution, by its input': [
    (x) => tf.conv2d(x as tf.Tensor4D, ramp(2, 3, 2, 2) as tf.Tensor4D, 1, 'same', 'NHWC', [2, 1]),
    [1, 6, 6, 2],
  ],
  'a dilated convolution, by its filter': [
    (w) => tf.conv2d(image(), w as tf.Tensor4D, 1, 'valid', 'NHWC', 2),
    [2, 3, 2, 2],
  ],
  'a dilated depthwise convolution, by its input': [
    (x) => tf.depthwiseConv2d(x as tf.Tensor4D, ramp(2, 2, 2, 2) as tf.Tensor4D, 1, 'same', 'NHWC', 2),
    [1, 6, 6, 2],
  ],
  'a dilated depthwise convolution, by its filter': [
    (w) => tf.depthwiseConv2d(image(), w as tf.Tensor4D, 1, 'valid', 'NHWC', [3, 2]),
    [2, 2, 2, 1],
  ],
  'a transposed 3D convolution, by its input': [
    (x) =>
      tf.conv3dTranspose(
        ...([x, ramp(2, 2, 2, 3, 2), [1, 4, 4, 4, 3], 2, 'same'] as Parameters<typeof tf.conv3dTranspose>),
      ),
    [1, 2, 2, 2, 2],
  ],
  'a comparison': [(x) => tf.mul(x, tf.cast(tf.greater(x, 0.31), 'float32')), [9]],
};

describe('gradients that tfjs-core lacks', () => {
  // the engine without any kernel of ours
  beforeAll(() => useEngine('cpu'));

  it.each(Object.entries(cases))('agree with differences: %s', (_, [f, shape]) => {
    const [gradient, differences] = gradientAndDifferences(f, shape);
    expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.1);
    gradient.forEach((slope, i) => {
      expect(slope).toBeCloseTo(differences[i]!, 3);
    });
  });

  it('leave no tensor behind', () => {
    const before = tf.memory().numTensors;
    for (const [f, shape] of Object.values(cases)) gradientAndDifferences(f, shape);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('come back, and stay, when something registers those of tfjs-core once more, as loading tfjs-node does', async () => {
    await useEngine('wasm');
    for (const name of [tf.Conv2D, tf.DepthwiseConv2dNative, tf.Relu, tf.Softmax]) {
      const plain: tf.GradConfig = { ...tf.getGradient(name), gradFunc: () => ({}) };
      tf.unregisterGradient(name);
      tf.registerGradient(plain);
      await useEngine('wasm');
      const ours = tf.getGradient(name).gradFunc;
      expect(ours, name).not.toBe(plain.gradFunc);
      await useEngine('cpu');
      await useEngine('wasm');
      expect(tf.getGradient(name).gradFunc, name).toBe(ours);
    }
  });
});
