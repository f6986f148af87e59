import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { floats, reshaped, withShape } from './kernel.ts';

/** Multiplies two tensors whose last two axes are the matrices, not transposed. */
type Multiply = (a: tf.TensorInfo, b: tf.TensorInfo) => tf.TensorInfo;

/** Multiplies matrix by matrix, or all at once where one right side serves all. `a` and `b` must be of one rank. */
export function multiplyBatches(
  backend: BackendWasm,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  multiply: Multiply,
): tf.TensorInfo {
  const [aOuter, bOuter] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(aOuter, bOuter);
  const [[m, k], n] = [a.shape.slice(-2) as [number, number], b.shape[b.shape.length - 1]!];
  if (tf.util.sizeFromShape(bOuter) === 1) {
    const tall = reshaped(a, [1, tf.util.sizeFromShape(aOuter) * m, k]);
    return withShape(backend, multiply(tall, reshaped(b, [1, k, n])), [...outer, m, n]);
  }
  const out = backend.makeOutput([...outer, m, n], 'float32');
  const left = backend.makeOutput([1, m, k], 'float32');
  const [aAt, bAt] = [places(outer, aOuter), places(outer, bOuter)];
  aAt.forEach((from, i) => {
    floats(backend, left).set(floats(backend, a).subarray(from * m * k, (from + 1) * m * k));
    // A new one each time: XNNPACK packs the right side once per data id.
    const side = backend.makeOutput([1, k, n], 'float32');
    floats(backend, side).set(floats(backend, b).subarray(bAt[i]! * k * n, (bAt[i]! + 1) * k * n));
    const part = multiply(left, side);
    floats(backend, out).set(floats(backend, part), i * m * n);
    backend.disposeData(side.dataId);
    backend.disposeData(part.dataId);
  });
  backend.disposeData(left.dataId);
  return out;
}

/** For every index into `outer`, the index into `own` that is broadcast to it. */
export function places(outer: number[], own: number[]): number[] {
  if (outer.length === 0) return [0];
  const padded = [...outer.slice(own.length).map(() => 1), ...own];
  return Array.from({ length: tf.util.sizeFromShape(outer) }, (_, i) => {
    let [at, stride, rest] = [0, 1, i];
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      const position = rest % outer[axis]!;
      rest = Math.floor(rest / outer[axis]!);
      if (padded[axis] !== 1) at += position * stride;
      stride *= padded[axis]!;
    }
    return at;
  });
}
