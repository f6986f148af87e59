import * as tf from '@tensorflow/tfjs-core';
import { addressOf } from '../loops/loops.ts';
import type { Fusion } from './fusion.ts';

/** Shipped as eight operations; every cross-entropy clips. */
export const clip: Fusion = {
  of: tf.ClipByValue,
  gradient: ({ dy, saved: [x], attrs, run }) => ({ x: () => run([dy, x!], attrs) }),
  kernel: ({ inputs: [dy, x], attrs, backend, loops }) => {
    const { clipValueMin, clipValueMax } = attrs as unknown as tf.ClipByValueAttrs;
    const out = backend.makeOutput(x!.shape, 'float32');
    const [errors, values, to] = [dy!, x!, out].map((info) => addressOf(backend, info));
    const n = tf.util.sizeFromShape(out.shape);
    loops.within(errors!, values!, n, clipValueMin, clipValueMax, to!);
    return out;
  },
};
