import * as tf from '@tensorflow/tfjs-core';
import { addressOf, loopsOf } from '../loops/loops.ts';
import { type WasmKernel, wasmKernel } from './kernel.ts';

/** Shipped with a transpose first where all axes but the last are summed, which the gradient of every bias is. */
export const sum: WasmKernel = wasmKernel<'x', tf.SumAttrs>(
  tf.Sum,
  ({ inputs: { x }, attrs: { axis, keepDims }, backend, shipped }) => {
    const loops = loopsOf(backend);
    const axes = tf.util.parseAxisParam(axis, x.shape);
    const leading = x.shape.slice(0, axes.length);
    const rest = x.shape.slice(axes.length);
    const n = tf.util.sizeFromShape(rest);
    const isLeading = axes.length > 0 && axes.every((one) => one < axes.length);
    if (!loops || !isLeading || n < 2 || x.dtype !== 'float32') return shipped();
    const out = backend.makeOutput(keepDims ? [...leading.map(() => 1), ...rest] : rest, 'float32');
    loops.sumLines(addressOf(backend, x), tf.util.sizeFromShape(leading), n, addressOf(backend, out));
    return out;
  },
);
