import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { reshaped, runKernel, type WasmKernel, wasmKernel } from './kernel.ts';
import { safeRight } from './packed.ts';

/** Below this many multiply-adds the shipped scalar loop is faster than a transpose and a packed multiplication. */
const SMALL = 4096;

/** Shipped as a scalar loop for transposed inputs: transposing first is over ten times faster. */
export const batchMatMul: WasmKernel = wasmKernel<'a' | 'b', tf.BatchMatMulAttrs>(
  tf.BatchMatMul,
  ({ inputs: { a, b }, attrs: { transposeA, transposeB }, backend, shipped }) => {
    if (!isMatrix(a) || !isMatrix(b) || a.dtype !== 'float32' || b.dtype !== 'float32') return shipped();
    if ((transposeA || transposeB) && multiplications(a, b, transposeA) < SMALL) return shipped();
    const left = transposeA ? transposed(backend, a) : a;
    const right = transposeB ? transposed(backend, b) : safeRight(backend, b);
    const out = shipped({
      inputs: { a: left, b: right },
      attrs: { transposeA: false, transposeB: false },
    });
    if (left !== a) backend.disposeData(left.dataId);
    if (right !== b) backend.disposeData(right.dataId);
    return out;
  },
);

/** Whether all axes but the last two are 1. */
export function isMatrix({ shape }: tf.TensorInfo): boolean {
  return shape.slice(0, -2).every((n) => n === 1);
}

/** A copy of a matrix with its last two axes swapped; the caller disposes it. */
export function transposed(backend: BackendWasm, x: tf.TensorInfo): tf.TensorInfo {
  const flat = reshaped(x, x.shape.slice(-2));
  const flipped = runKernel(tf.Transpose, backend, { x: flat }, { perm: [1, 0] });
  return { ...flipped, shape: [...x.shape.slice(0, -2), ...flipped.shape] };
}

function multiplications(a: tf.TensorInfo, b: tf.TensorInfo, transposeA: boolean): number {
  const inner = a.shape[a.shape.length - (transposeA ? 2 : 1)]!;
  return (tf.util.sizeFromShape(a.shape) * tf.util.sizeFromShape(b.shape)) / inner;
}
