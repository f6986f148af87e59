import * as tf from '@tensorflow/tfjs-core';
import { addFrames, convVolumes, flatAttrs, meetingOf, pickFrames, sliceOf } from './frames.ts';
import { floats, runKernel, type WasmKernel, wasmKernel } from './kernel.ts';

/** Shipped as a scalar loop: a sum of 2D convolutions is several times faster. */
export const conv3D: WasmKernel = wasmKernel<'x' | 'filter', tf.Conv3DAttrs>(
  tf.Conv3D,
  ({ inputs: { x, filter }, attrs, backend, shipped }) => {
    const { dilations, strides, pad } = attrs;
    if ([dilations].flat().some((n) => n !== 1)) return shipped();
    const v = convVolumes(x.shape, filter.shape, { strides, pad });
    const shape = [v.batch, v.outDepth, v.outHeight, v.outWidth, filter.shape[4]!];
    const out = backend.makeOutput(shape, 'float32');
    floats(backend, out).fill(0);
    for (let slice = 0; slice < v.depth; slice++) {
      const { inputs, outputs } = meetingOf(v, slice);
      if (inputs.length === 0) continue;
      const flat = { x: pickFrames(backend, x, inputs), filter: sliceOf(backend, filter, slice) };
      const part = runKernel(tf.Conv2D, backend, flat, flatAttrs(v));
      addFrames(backend, out, part, outputs);
      for (const { dataId } of [flat.x, flat.filter, part]) backend.disposeData(dataId);
    }
    return out;
  },
);
