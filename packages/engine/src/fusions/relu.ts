import * as tf from '@tensorflow/tfjs-core';
import { addressOf } from '../loops/loops.ts';
import type { Fusion } from './fusion.ts';

/** Shipped as a step, a cast and a multiplication. */
export const relu: Fusion = {
  of: tf.Relu,
  gradient: ({ dy, saved: [x], run }) => ({ x: () => run([dy, x!]) }),
  kernel: ({ inputs: [dy, x], backend, loops }) => {
    const out = backend.makeOutput(x!.shape, 'float32');
    const n = tf.util.sizeFromShape(out.shape);
    loops.reluGradient(addressOf(backend, dy!), addressOf(backend, x!), n, addressOf(backend, out));
    return out;
  },
};
