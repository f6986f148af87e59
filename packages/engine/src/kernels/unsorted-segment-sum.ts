import * as tf from '@tensorflow/tfjs-core';
import { type WasmKernel, wasmKernel } from './kernel.ts';

/** Missing from the wasm backend: it is the gradient of a gather, so without it no Embedding can be trained. */
export const unsortedSegmentSum: WasmKernel = wasmKernel<'x' | 'segmentIds', tf.UnsortedSegmentSumAttrs>(
  tf.UnsortedSegmentSum,
  ({ inputs: { x, segmentIds }, attrs: { numSegments }, backend }) => {
    const rest = x.shape.slice(segmentIds.shape.length);
    const size = tf.util.sizeFromShape(rest);
    const out = backend.makeOutput([numSegments, ...rest], x.dtype);
    const [sums, values] = [backend.typedArrayFromHeap(out), backend.typedArrayFromHeap(x)];
    const ids = backend.typedArrayFromHeap(segmentIds);
    sums.fill(0);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      // As in TensorFlow, a row whose id names no segment is left out.
      if (id < 0 || id >= numSegments) continue;
      for (let k = 0; k < size; k++) sums[id * size + k]! += values[i * size + k]!;
    }
    return out;
  },
);
