import * as tf from '@tensorflow/tfjs-core';
import { addressOf } from '../loops/loops.ts';
import type { Fusion } from './fusion.ts';

/** The smallest positive float: from here on a value is more than 0. */
const POSITIVE = 2 ** -149;

/** Shipped as a step, a cast and a multiplication. */
export const relu: Fusion = {
  of: tf.Relu,
  gradient: ({ dy, saved: [x], run }) => ({ x: () => run([dy, x!]) }),
  kernel: ({ inputs: [dy, x], backend, loops }) => {
    const out = backend.makeOutput(x!.shape, 'float32');
    const [errors, values, to] = [dy!, x!, out].map((info) => addressOf(backend, info));
    const n = tf.util.sizeFromShape(out.shape);
    loops.within(errors!, values!, n, POSITIVE, Number.POSITIVE_INFINITY, to!);
    return out;
  },
};
