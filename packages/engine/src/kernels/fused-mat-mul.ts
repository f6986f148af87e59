import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
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
    if (!isMatrix(a) || !isMatrix(b)) {
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

/** Runs a kernel in the place of its own input. */
function replaced(
  backend: BackendWasm,
  x: tf.TensorInfo,
  kernel: string,
  inputs: tf.NamedTensorInfoMap,
  attrs?: tf.NamedAttrMap,
): tf.TensorInfo {
  const out = runKernel(kernel, backend, inputs, attrs);
  backend.disposeData(x.dataId);
  return out;
}

const activations: Readonly<Record<string, string>> = {
  relu: tf.Relu,
  relu6: tf.Relu6,
  elu: tf.Elu,
  sigmoid: tf.Sigmoid,
  prelu: tf.Prelu,
  leakyrelu: tf.LeakyRelu,
};

function activated(
  backend: BackendWasm,
  x: tf.TensorInfo,
  activation: string | undefined,
  alpha: tf.TensorInfo | undefined,
  leakyreluAlpha: number | undefined,
): tf.TensorInfo {
  const kernel = activations[activation ?? 'linear'];
  if (!kernel) return x;
  const inputs: tf.NamedTensorInfoMap = alpha ? { x, alpha } : { x };
  return replaced(backend, x, kernel, inputs, leakyreluAlpha === undefined ? {} : { alpha: leakyreluAlpha });
}
