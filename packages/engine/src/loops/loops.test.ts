import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { useEngine } from '../index.ts';
import { compiled } from './compiled.ts';
import { loopsOf } from './loops.ts';

it('is what assembly/ compiles to; else: npm run assembly --workspace packages/engine', {
  tags: ['slow'],
}, async () => {
  const builder = new URL('../../assembly/build.mjs', import.meta.url).href;
  const { compile } = (await import(builder)) as { compile(): Promise<string> };
  expect(compiled).toBe(await compile());
  // what some browsers compile at most on a page's own thread
  expect(atob(compiled).length).toBeLessThanOrEqual(4096);
});

it('is there on wasm', async () => {
  await useEngine('wasm');
  expect(loopsOf(tf.backend() as never)).toBeDefined();
});

const values = (...shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(i * 1.3 + shape.length)),
    shape,
  );

/** What each gives is compared with cpu, for widths that fill vectors and blocks of columns, and that don't. */
const works: Record<string, (n: number) => tf.Tensor> = {
  'a bias is added': (n) => tf.add(values(2, 3, n), values(n)),
  'lines are summed, in more than one chunk': (n) => tf.sum(values(3, 100, n), [0, 1], true),
  'a product': (n) => tf.matMul(values(5, 7), values(7, n)),
  'a product, left side transposed': (n) => tf.matMul(values(7, n), values(7, 6), true),
  'a product, right side transposed': (n) => tf.matMul(values(6, 7), values(n, 7), false, true),
  'products of batches with one right side': (n) => tf.matMul(values(2, 3, 5, n), values(1, 1, n, 4)),
  'a fused convolution': (n) =>
    tf.fused.conv2d({
      ...{ x: values(2, 6, 5, 3) as tf.Tensor4D, filter: values(3, 2, 3, n) as tf.Tensor4D },
      ...{ strides: [2, 1] as [number, number], pad: 'same', bias: values(n), activation: 'relu' },
    }),
  'rows are gathered': (n) => tf.gather(values(4, n), tf.tensor1d([3, 0, 3, 1], 'int32')),
  'a relu has a gradient': (n) => tf.grad((x: tf.Tensor) => tf.sum(tf.relu(x)))(values(n, n)),
};

it.each(Object.entries(works))('%s', async (_, work) => {
  for (const n of [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 17]) {
    const on = async (engine: string): Promise<Float32Array> => {
      await useEngine(engine as 'wasm');
      return tf.tidy(() => work(n).dataSync() as Float32Array);
    };
    const [actual, expected] = [await on('wasm'), await on('cpu')];
    expect(actual.length).toBe(expected.length);
    actual.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 4);
    });
  }
});
