import * as tf from '@tensorflow/tfjs-core';
import { type WasmKernel, wasmKernel } from './kernel.ts';

/** Shipped as a copy even to the type that the tensor has, which nearly every gradient asks for. */
export const cast: WasmKernel = wasmKernel<'x', tf.CastAttrs>(
  tf.Cast,
  ({ inputs: { x }, attrs: { dtype }, backend, shipped }) => {
    if (x.dtype !== dtype || dtype === 'string') return shipped();
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype };
  },
);
