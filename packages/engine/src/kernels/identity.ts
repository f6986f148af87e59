import * as tf from '@tensorflow/tfjs-core';
import { type WasmKernel, wasmKernel } from './kernel.ts';

/** Shipped as a copy, and run for every tensor that backpropagation keeps: the data is never written, so share it. */
export const identity: WasmKernel = wasmKernel<'x', unknown>(
  tf.Identity,
  ({ inputs: { x }, backend, shipped }) => {
    if (x.dtype === 'string') return shipped();
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  },
);
