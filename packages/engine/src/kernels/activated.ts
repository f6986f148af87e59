import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { addressOf, loopsOf } from '../loops/loops.ts';
import { runKernel } from './kernel.ts';

/** Runs a kernel in the place of its own input. */
export function replaced(
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

/** Runs an activation on a fresh output, in its place. */
export function activated(
  backend: BackendWasm,
  x: tf.TensorInfo,
  activation: string | undefined,
  alpha: tf.TensorInfo | undefined,
  leakyreluAlpha: number | undefined,
): tf.TensorInfo {
  const loops = loopsOf(backend);
  if (loops && activation === 'relu') {
    loops.relu(addressOf(backend, x), tf.util.sizeFromShape(x.shape));
    return x;
  }
  const kernel = activations[activation ?? 'linear'];
  if (!kernel) return x;
  const inputs: tf.NamedTensorInfoMap = alpha ? { x, alpha } : { x };
  return replaced(backend, x, kernel, inputs, leakyreluAlpha === undefined ? {} : { alpha: leakyreluAlpha });
}
