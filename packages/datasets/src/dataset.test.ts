import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type Dataset, take, toTensors } from './dataset.ts';

const part = { x: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), labels: Int32Array.of(2, 0), rows: 2 };
const none = { x: new Float32Array(0), labels: new Int32Array(0), rows: 0 };
const data: Dataset = {
  name: 'tiny',
  task: 'classification',
  classes: ['a', 'b', 'c'],
  inputShape: [2, 2, 1],
  train: part,
  validation: none,
  test: part,
};

describe('toTensors', () => {
  it('gives rows in the shape of the input and one-hot classes', async () => {
    const before = tf.memory().numTensors;
    const { x, y } = toTensors(data, 'train');
    expect(x.shape).toEqual([2, 2, 2, 1]);
    expect([...(await x.data())]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await y.array()).toEqual([
      [0, 0, 1],
      [1, 0, 0],
    ]);
    tf.dispose([x, y]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('takes a part of a part, or an empty one', () => {
    const [one, zero] = [toTensors(data, take(data.train, 1)), toTensors(data, 'validation')];
    expect(one.x.shape).toEqual([1, 2, 2, 1]);
    expect([zero.x.shape, zero.y.shape]).toEqual([
      [0, 2, 2, 1],
      [0, 3],
    ]);
  });
});

describe('take', () => {
  it('takes the first rows, and no more than there are', () => {
    expect(take(part, 1)).toEqual({ x: Float32Array.of(1, 2, 3, 4), labels: Int32Array.of(2), rows: 1 });
    expect(take(part, 9)).toEqual(part);
    expect(take(part, 0).rows).toBe(0);
    expect(() => take(part, -1)).toThrow('[datasets] rows must be a whole number of 0 or more, got -1');
  });
});
