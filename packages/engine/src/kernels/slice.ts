import * as tf from '@tensorflow/tfjs-core';
import { type WasmKernel, wasmKernel } from './kernel.ts';

/** Shipped with a copy of the whole input first, however little is taken from it. */
export const slice: WasmKernel = wasmKernel<'x', tf.SliceAttrs>(
  tf.Slice,
  ({ inputs: { x }, attrs, backend, shipped }) => {
    if (x.dtype === 'string') return shipped();
    const parsed = tf.slice_util.parseSliceParams(x as tf.Tensor, attrs.begin, attrs.size);
    const [begin, size] = [parsed[0]!, parsed[1]!];
    tf.slice_util.assertParamsValid(x as tf.Tensor, begin, size);
    const out = backend.makeOutput(size, x.dtype);
    const [to, from] = [backend.typedArrayFromHeap(out), backend.typedArrayFromHeap(x)];
    if (to.length === 0) return out;

    // The trailing axes that are taken whole form one run with the first axis that isn't.
    let cut = size.length - 1;
    while (cut > 0 && size[cut] === x.shape[cut]) cut--;
    const run = size.slice(Math.max(0, cut)).reduce((product, n) => product * n, 1);
    const strides = [...tf.util.computeStrides(x.shape), 1];
    const position = size.map(() => 0);
    for (let at = 0; at < to.length; at += run) {
      let source = 0;
      for (let axis = 0; axis < size.length; axis++)
        source += (begin[axis]! + position[axis]!) * strides[axis]!;
      if (run < 32) for (let i = 0; i < run; i++) to[at + i] = from[source + i]!;
      else to.set(from.subarray(source, source + run), at);
      for (let axis = cut - 1; axis >= 0 && ++position[axis]! === size[axis]; axis--) position[axis] = 0;
    }
    return out;
  },
);
