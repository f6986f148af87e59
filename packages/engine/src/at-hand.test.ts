import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { useEngine } from './index.ts';

const stores = () => {
  const { dataIdMap } = tf.backend() as unknown as { readonly dataIdMap: { readonly data: object } };
  return [dataIdMap.data, tf.engine().state.tensorInfo as object];
};

it('tensors from before are there, can be moved and go', async () => {
  await useEngine('wasm');
  // as shipped again, as if nobody had called useEngine
  const factory = tf.findBackendFactory('wasm');
  tf.removeBackend('wasm');
  tf.registerBackend('wasm', factory);
  tf.engine().state.tensorInfo = new WeakMap();
  await tf.setBackend('wasm');
  const buffers = tf.memory().numDataBuffers;
  expect(stores().every((store) => store instanceof WeakMap)).toBe(true);
  const earlier = tf.tensor1d([1, 2, 3]);
  await useEngine('wasm');
  expect(stores().some((store) => store instanceof WeakMap)).toBe(false);
  const later = tf.add(earlier, 1);
  expect(Array.from(later.dataSync())).toEqual([2, 3, 4]);
  const twin = later.clone();
  later.dispose();
  await useEngine('cpu');
  const sum = tf.add(earlier, twin);
  expect(Array.from(sum.dataSync())).toEqual([3, 5, 7]);
  await useEngine('wasm');
  expect(Array.from(tf.tidy(() => tf.mul(sum, twin).dataSync()))).toEqual([6, 15, 28]);
  expect(tf.memory().numDataBuffers).toBe(buffers + 3);
  tf.dispose([earlier, twin, sum]);
  expect(tf.memory().numDataBuffers).toBe(buffers);
  expect(() => earlier.dataSync()).toThrow('disposed');
  expect(tf.engine().backend.numDataIds()).toBe(0);
});

it('is done once', async () => {
  await useEngine('wasm');
  const before = stores();
  await useEngine('wasm');
  expect(stores()).toEqual(before);
  stores().forEach((store, i) => void expect(store).toBe(before[i]));
});

it('text moves, too', async () => {
  await useEngine('wasm');
  const text = tf.tensor1d(['a', 'bc']);
  const twin = text.clone();
  text.dispose();
  for (const name of ['cpu', 'wasm'] as const) {
    await useEngine(name);
    expect(tf.tidy(() => tf.reshape(twin, [2, 1]).arraySync())).toEqual([['a'], ['bc']]);
  }
  twin.dispose();
  expect(tf.memory().numTensors).toBe(0);
});

it('begins anew with an engine that was reset', async () => {
  await useEngine('wasm');
  const earlier = tf.tensor1d([1, 2, 3]);
  tf.engine().reset();
  await useEngine('wasm');
  expect(stores().some((store) => store instanceof WeakMap)).toBe(false);
  const later = tf.tensor1d([4]);
  // of a memory that is gone
  earlier.dispose();
  expect(tf.memory().numDataBuffers).toBe(1);
  expect(Array.from(later.dataSync())).toEqual([4]);
  later.dispose();
});
