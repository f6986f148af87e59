import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { median } from '../benchmark.ts';
import { type Measurement, rowsOf } from './index.ts';
import { registerNaiveKernels } from './naive.ts';

const measured = (name: Measurement['name'], ...rates: number[]): Measurement => ({
  ...{ workload: 'mlp', mode: 'train', name, rates },
});

it('takes medians', () => {
  expect(median([9, 1, 4])).toBe(4);
  expect(median([9, 1, 4, 5])).toBe(4.5);
});

it('divides round by round, since a shared machine is slow in some of them', () => {
  const rows = rowsOf([measured('wasm', 100, 10, 50), measured('tensorflow', 20, 2, 50)]);
  expect(rows).toEqual([
    { case: 'mlp/train/wasm', metric: 'rate', value: 50, spread: expect.closeTo(45.09, 2) },
    { case: 'mlp/train/tensorflow', metric: 'rate', value: 20, spread: expect.closeTo(24.25, 2) },
    {
      ...{ case: 'mlp/train/tensorflow', metric: 'ratio', value: 5, spread: expect.closeTo(2.31, 2) },
      ...{ target: 4, meets: true },
    },
  ]);
});

it('compares two workers with one, and leaves out who could not run', () => {
  const rows = rowsOf([
    measured('wasm', 100),
    { ...measured('pytorch'), problem: 'No module named torch' },
    measured('two-workers', 160),
  ]);
  expect(rows.slice(1)).toEqual([
    { case: 'mlp/train/pytorch', metric: 'skipped', value: 1, note: 'No module named torch' },
    { case: 'mlp/train/two-workers', metric: 'rate', value: 160 },
    { case: 'mlp/train/two-workers', metric: 'ratio', value: 1.6, target: 1.7, meets: false },
  ]);
});

it('composes a naive kernel that is right', async () => {
  registerNaiveKernels();
  await tf.setBackend('wasm');
  const filterShape: [number, number, number, number] = [2, 3, 2, 4];
  const values = (shape: number[], seed: number): tf.Tensor4D =>
    tf.randomUniform(shape as [number, number, number, number], -1, 1, 'float32', seed);
  const [x, filter] = [values([3, 6, 5, 2], 1), values(filterShape, 2)];
  const gradient = (at: tf.Tensor4D): tf.Tensor4D =>
    tf.grad((w: tf.Tensor) => tf.sum(tf.square(tf.conv2d(x, w as tf.Tensor4D, 1, 'valid'))))(
      at,
    ) as tf.Tensor4D;
  const lossAt = (shift: number): number => {
    const moved = filter.dataSync().slice() as Float32Array;
    moved[7]! += shift;
    return tf.sum(tf.square(tf.conv2d(x, tf.tensor4d(moved, filterShape), 1, 'valid'))).dataSync()[0]!;
  };
  const slope = (lossAt(1 / 64) - lossAt(-1 / 64)) * 32;
  expect(gradient(filter).dataSync()[7]).toBeCloseTo(slope, 2);
});
