import * as tf from '@tensorflow/tfjs-core';
import { addFrames, convVolumes, flatAttrs, meetingOf, pickFrames, sliceOf } from './frames.ts';
import { floats, runKernel, type WasmKernel, wasmKernel } from './kernel.ts';

/** Shipped wrong for any filter that is more than one number; a transposed 3D convolution is this kernel too. */
export const conv3DBackpropInput: WasmKernel = wasmKernel<'dy' | 'filter', tf.Conv3DBackpropInputV2Attrs>(
  tf.Conv3DBackpropInputV2,
  ({ inputs: { dy, filter }, attrs, backend }) => {
    const v = convVolumes(attrs.inputShape, filter.shape, attrs);
    const out = backend.makeOutput(attrs.inputShape, 'float32');
    floats(backend, out).fill(0);
    for (let slice = 0; slice < v.depth; slice++) {
      const { inputs, outputs } = meetingOf(v, slice);
      if (inputs.length === 0) continue;
      const flat = { dy: pickFrames(backend, dy, outputs), filter: sliceOf(backend, filter, slice) };
      const inputShape = [inputs.length, v.inHeight, v.inWidth, v.inChannels];
      const part = runKernel(tf.Conv2DBackpropInput, backend, flat, { ...flatAttrs(v), inputShape });
      addFrames(backend, out, part, inputs);
      for (const { dataId } of [flat.dy, flat.filter, part]) backend.disposeData(dataId);
    }
    return out;
  },
);
