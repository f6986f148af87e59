import * as tf from '@tensorflow/tfjs-core';
import { loopsOf } from '../loops/loops.ts';
import { multiplyMatrices } from '../loops/matrix.ts';
import { activated, replaced } from './activated.ts';
import { isMatrix, transposed } from './batch-mat-mul.ts';
import { runKernel, type WasmKernel, wasmKernel } from './kernel.ts';
import { recordAsVector, safeRight } from './packed.ts';

type Inputs = 'a' | 'b' | 'bias' | 'preluActivationWeights';

/**
 * Shipped with the faults of the plain multiplication, and refusing a bias by the shape that it once had.
 * Transposed inputs and batches go through the scalar loop, which adds the bias once per 48 numbers.
 */
export const fusedMatMul: WasmKernel = wasmKernel<Inputs, tf._FusedMatMulAttrs>(
  tf._FusedMatMul,
  ({ inputs, attrs, backend, shipped }) => {
    const { a, b, bias, preluActivationWeights: alpha } = inputs;
    const { transposeA, transposeB, activation, leakyreluAlpha } = attrs;
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return shipped();
    const matrix = isMatrix(a) && isMatrix(b);
    const width = b.shape.at(transposeB ? -2 : -1)!;
    const loops = loopsOf(backend);
    // Plain matrices stay with XNNPACK: it keeps weights packed from one prediction to the next.
    const awkward = transposeA || transposeB || !matrix;
    if (loops && awkward && (!bias || tf.util.sizeFromShape(bias.shape) === width)) {
      const out = multiplyMatrices(backend, loops, { a, b, bias }, { transposeA, transposeB });
      return activated(backend, out, activation, alpha, leakyreluAlpha);
    }
    if (!matrix) {
      let out = runKernel(tf.BatchMatMul, backend, { a, b }, { transposeA, transposeB });
      if (bias) out = replaced(backend, out, tf.Add, { a: out, b: bias });
      return activated(backend, out, activation, alpha, leakyreluAlpha);
    }
    recordAsVector(backend, bias, b.shape[transposeB ? 1 : 2]!);
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
