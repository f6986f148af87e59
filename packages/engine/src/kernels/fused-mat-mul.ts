import * as tf from '@tensorflow/tfjs-core';
import { isMatrix, transposed } from './batch-mat-mul.ts';
import { type WasmKernel, wasmKernel } from './kernel.ts';
import { recordAsVector, safeRight } from './packed.ts';

/**
 * Shipped with the faults of the plain multiplication, and refusing a bias by the shape that it once had.
 * Transposed inputs go through the scalar loop, which adds the bias once per 48 numbers.
 */
export const fusedMatMul: WasmKernel = wasmKernel<'a' | 'b' | 'bias', tf._FusedMatMulAttrs>(
  tf._FusedMatMul,
  ({ inputs: { a, b, bias }, attrs: { transposeA, transposeB }, backend, shipped }) => {
    recordAsVector(backend, bias, b.shape[transposeB ? 1 : 2]!);
    if (!isMatrix(a) || !isMatrix(b) || a.dtype !== 'float32' || b.dtype !== 'float32') return shipped();
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
