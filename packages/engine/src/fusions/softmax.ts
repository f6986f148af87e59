import * as tf from '@tensorflow/tfjs-core';
import { addressOf } from '../loops/loops.ts';
import type { Fusion } from './fusion.ts';

/** Shipped as four operations. */
export const softmax: Fusion = {
  of: tf.Softmax,
  gradient: ({ dy, saved: [y], attrs, run }) => {
    const last = y!.rank - 1;
    const [dim] = [attrs.dim as number];
    return dim === last || dim === -1 ? { logits: () => run([dy, y!]) } : undefined;
  },
  kernel: ({ inputs: [dy, y], backend, loops }) => {
    const out = backend.makeOutput(y!.shape, 'float32');
    const n = y!.shape.at(-1) ?? 1;
    const lines = tf.util.sizeFromShape(y!.shape) / n;
    const [errors, outputs, to] = [dy!, y!, out].map((info) => addressOf(backend, info));
    loops.softmaxGradient(errors!, outputs!, lines, n, to!);
    return out;
  },
};
