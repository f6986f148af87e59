import * as tf from '@tensorflow/tfjs-core';
import { addressOf, loopsOf } from '../loops/loops.ts';
import { type WasmKernel, wasmKernel } from './kernel.ts';

/** Shipped several times slower where a bias is added: it looks up every number's place in both shapes. */
export const add: WasmKernel = wasmKernel<'a' | 'b', unknown>(
  tf.Add,
  ({ inputs: { a, b }, backend, shipped }) => {
    const [n, size] = [b.shape.at(-1) ?? 1, tf.util.sizeFromShape(a.shape)];
    const isBias = n >= 4 && n < size && n === a.shape.at(-1) && n === tf.util.sizeFromShape(b.shape);
    const loops = loopsOf(backend);
    if (
      !loops ||
      !isBias ||
      b.shape.length > a.shape.length ||
      a.dtype !== 'float32' ||
      b.dtype !== 'float32'
    )
      return shipped();
    const out = backend.makeOutput(a.shape, 'float32');
    loops.addLine(addressOf(backend, a), addressOf(backend, b), size / n, n, addressOf(backend, out));
    return out;
  },
);
