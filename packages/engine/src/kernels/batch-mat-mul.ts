import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { loopsOf } from '../loops/loops.ts';
import { multiplyMatrices } from '../loops/matrix.ts';
import { multiplyBatches } from './batched.ts';
import { runKernel, type WasmKernel, wasmKernel } from './kernel.ts';
import { safeRight } from './packed.ts';

/** Below this many multiply-adds the shipped scalar loop is faster than a transpose and a packed multiplication. */
const SMALL = 4096;

/** Shipped as a scalar loop for transposed inputs and for batches: packed multiplications are ten times faster. */
export const batchMatMul: WasmKernel = wasmKernel<'a' | 'b', tf.BatchMatMulAttrs>(
  tf.BatchMatMul,
  ({ inputs: { a, b }, attrs: { transposeA, transposeB }, backend, shipped }) => {
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return shipped();
    const loops = loopsOf(backend);
    if (loops) return multiplyMatrices(backend, loops, { a, b }, { transposeA, transposeB });
    const matrix = isMatrix(a) && isMatrix(b);
    if ((!matrix || transposeA || transposeB) && multiplications(a, b, transposeA) < SMALL) return shipped();
    const left = transposeA ? transposed(backend, a) : a;
    const right = transposeB ? transposed(backend, b) : matrix ? safeRight(backend, b) : b;
    const multiply = (one: tf.TensorInfo, other: tf.TensorInfo): tf.TensorInfo =>
      shipped({ inputs: { a: one, b: other }, attrs: { transposeA: false, transposeB: false } });
    const out = matrix ? multiply(left, right) : multiplyBatches(backend, left, right, multiply);
    if (left !== a) backend.disposeData(left.dataId);
    if (right !== b) backend.disposeData(right.dataId);
    return out;
  },
);

/** Whether all axes but the last two are 1. */
export function isMatrix({ shape }: tf.TensorInfo): boolean {
  return shape.slice(0, -2).every((n) => n === 1);
}

/** A copy with the last two axes swapped; the caller disposes it. */
export function transposed(backend: BackendWasm, x: tf.TensorInfo): tf.TensorInfo {
  const last = x.shape.length - 1;
  const perm = x.shape.map((_, axis) => (axis < last - 1 ? axis : 2 * last - 1 - axis));
  return runKernel(tf.Transpose, backend, { x }, { perm });
}

/** How many multiply-adds one product of matrices takes. */
function multiplications(a: tf.TensorInfo, b: tf.TensorInfo, transposeA: boolean): number {
  const [rows, columns] = a.shape.slice(-2);
  const [others, more] = b.shape.slice(-2);
  return (rows! * columns! * others! * more!) / (transposeA ? rows! : columns!);
}
