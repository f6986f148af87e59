import * as tf from '@tensorflow/tfjs-core';
import { convVolumes, flatAttrs, meetingOf, pickFrames } from './frames.ts';
import { floats, runKernel, type WasmKernel, wasmKernel } from './kernel.ts';

/** Shipped wrong: the gradient misses most of what each weight met. */
export const conv3DBackpropFilter: WasmKernel = wasmKernel<'x' | 'dy', tf.Conv3DBackpropFilterV2Attrs>(
  tf.Conv3DBackpropFilterV2,
  ({ inputs: { x, dy }, attrs, backend }) => {
    const { filterShape } = attrs;
    const v = convVolumes(x.shape, filterShape, attrs);
    const size = tf.util.sizeFromShape(filterShape.slice(1));
    const out = backend.makeOutput(filterShape, 'float32');
    floats(backend, out).fill(0);
    for (let slice = 0; slice < v.depth; slice++) {
      const { inputs, outputs } = meetingOf(v, slice);
      if (inputs.length === 0) continue;
      const flat = { x: pickFrames(backend, x, inputs), dy: pickFrames(backend, dy, outputs) };
      const part = runKernel(tf.Conv2DBackpropFilter, backend, flat, {
        ...flatAttrs(v),
        filterShape: filterShape.slice(1),
      });
      floats(backend, out).set(floats(backend, part), slice * size);
      for (const { dataId } of [flat.x, flat.dy, part]) backend.disposeData(dataId);
    }
    return out;
  },
);
