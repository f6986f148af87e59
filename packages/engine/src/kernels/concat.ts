import * as tf from '@tensorflow/tfjs-core';
import { addressOf, loopsOf } from '../loops/loops.ts';
import { type WasmKernel, wasmKernel } from './kernel.ts';

/** Shipped with two views of each part for every line of the output, which costs more than the copying. */
export const concat: WasmKernel = wasmKernel<string, tf.ConcatAttrs>(
  tf.Concat,
  ({ inputs, attrs, backend, shipped }) => {
    const parts = Object.values(inputs);
    const [first] = parts;
    const loops = loopsOf(backend);
    if (!loops || first!.dtype === 'string') return shipped();
    const axis = tf.util.parseAxisParam(attrs.axis, first!.shape)[0]!;
    const shapes = parts.map(({ shape }) => shape);
    tf.backend_util.assertParamsConsistent(shapes, axis);
    const out = backend.makeOutput(tf.backend_util.computeOutShape(shapes, axis), first!.dtype);
    const lines = tf.util.sizeFromShape(out.shape.slice(0, axis));
    const size = tf.util.bytesPerElement(out.dtype);
    const bytesOf = (shape: number[]): number => size * tf.util.sizeFromShape(shape.slice(axis));
    const step = bytesOf(out.shape);
    let to = addressOf(backend, out);
    for (const part of parts) {
      const bytes = bytesOf(part.shape);
      if (bytes > 0) loops.copyLines(addressOf(backend, part), bytes, to, step, bytes, lines);
      to += bytes;
    }
    return out;
  },
);
