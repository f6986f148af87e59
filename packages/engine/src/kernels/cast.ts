import * as tf from '@tensorflow/tfjs-core';
import { type WasmKernel, wasmKernel } from './kernel.ts';

/**
 * Shipped as a copy even to the type that the tensor has, which nearly every gradient asks for, and to bool by cutting off
 * the fraction: 0.5 was false.
 */
export const cast: WasmKernel = wasmKernel<'x', tf.CastAttrs>(
  tf.Cast,
  ({ inputs: { x }, attrs: { dtype }, backend, shipped }) => {
    if (dtype === 'bool' && x.dtype !== 'bool' && x.dtype !== 'string') {
      const out = backend.makeOutput(x.shape, dtype);
      const [to, from] = [backend.typedArrayFromHeap(out), backend.typedArrayFromHeap(x)];
      for (let i = 0; i < to.length; i++) to[i] = from[i] === 0 ? 0 : 1;
      return out;
    }
    if (x.dtype !== dtype || dtype === 'string') return shipped();
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype };
  },
);
