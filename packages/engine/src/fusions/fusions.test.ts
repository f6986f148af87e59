import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { useEngine } from '../index.ts';

beforeAll(async () => {
  await useEngine('cpu');
  await useEngine('wasm');
});

/** Numbers of both signs, none twice. */
const values = (shape: number[], seed: number): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(i * 1.7 + seed)),
    shape,
  );

type Loss = (x: tf.Tensor) => tf.Tensor;

/** Each so that no two entries of the result have the same error. */
const losses: Record<string, Loss> = {
  relu: (x) => tf.relu(x),
  softmax: (x) => tf.softmax(x),
  clipByValue: (x) => tf.clipByValue(x, 0.2, 0.7),
  'a divisor per line': (x) => tf.div(values([4, 7], 3), tf.sum(tf.square(x), 1, true)),
  'a dividend per line': (x) => tf.div(x, tf.sum(tf.square(values([4, 7], 3)), 1, true)),
  'one divisor for all': (x) => tf.div(values([4, 7], 3), tf.sum(tf.square(x))),
  'a divisor per column': (x) => tf.div(values([4, 7], 3), tf.sum(tf.square(x), 0, true)),
  'a sum of lines': (x) => tf.sum(x, 1),
  'a sum of lines that stay': (x) => tf.sum(x, -1, true),
  'a sum of columns': (x) => tf.sum(x, 0),
  'a sum of all': (x) => tf.sum(x),
  'a mean of lines': (x) => tf.mean(x, 1),
  'a mean of columns': (x) => tf.mean(x, [0]),
  'a mean of all': (x) => tf.mean(x),
};

const weighted = (f: Loss) => (x: tf.Tensor) => {
  const y = f(tf.mul(x, x));
  return tf.sum(tf.mul(y, values(y.shape, 5))) as tf.Scalar;
};

async function on(engine: string, of: (x: tf.Tensor) => tf.Tensor): Promise<Float32Array> {
  await tf.setBackend(engine);
  return tf.tidy(() => of(values([4, 7], 1)).dataSync() as Float32Array);
}

async function expectLikeCpu(of: (x: tf.Tensor) => tf.Tensor): Promise<void> {
  const [actual, expected] = [await on('wasm', of), await on('cpu', of)];
  const scale = Math.max(...expected.map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!) / scale).toBeLessThan(1e-5);
  });
}

describe.each(Object.entries(losses))('%s', (name, f) => {
  it('has the gradient that it has on cpu', async () => {
    await expectLikeCpu(tf.grad(weighted(f)));
  });

  // tfjs-core has none of clipping, on any engine
  it.skipIf(name === 'clipByValue')('has the gradient of the gradient, too', async () => {
    const first = tf.grad(weighted(f));
    await expectLikeCpu(tf.grad((x: tf.Tensor) => tf.sum(tf.square(first(x)))));
  });
});

it('runs one kernel for a gradient, and none of ours for a recorded one', async () => {
  await tf.setBackend('wasm');
  const kernelsOf = async (f: (x: tf.Tensor) => tf.Tensor): Promise<string[]> =>
    (await tf.profile(() => tf.tidy(() => f(values([4, 7], 1)).dataSync() && tf.scalar(0)))).kernelNames;
  const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.relu(x)));
  expect(await kernelsOf(gradient)).toContain('EspalierReluGradient');
  expect(await kernelsOf(tf.grad((x) => tf.sum(gradient(x))))).not.toContain('EspalierReluGradient');
});
