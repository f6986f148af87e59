import * as tf from '@tensorflow/tfjs-core';
import { addressOf } from '../loops/loops.ts';
import type { Fusion, GradientCall } from './fusion.ts';

/** Shipped as a multiplication with a tensor of ones that is made for it. */
const spreading = (of: string, scaleOf: (n: number) => number): Fusion => ({
  of,
  gradient: ({ dy, saved: [x], attrs, run }: GradientCall) => {
    const axes = tf.util.parseAxisParam(attrs.axis as number[], x!.shape);
    const first = x!.rank - axes.length;
    if (!axes.every((axis) => axis >= first)) return undefined;
    return { x: () => run([dy], { shape: x!.shape }) };
  },
  kernel: ({ inputs: [dy], attrs, backend, loops }) => {
    const out = backend.makeOutput(attrs.shape as number[], 'float32');
    const lines = tf.util.sizeFromShape(dy!.shape);
    const n = tf.util.sizeFromShape(out.shape) / lines;
    loops.spread(addressOf(backend, dy!), lines, n, scaleOf(n), addressOf(backend, out));
    return out;
  },
});

export const sum: Fusion = spreading(tf.Sum, () => 1);
export const mean: Fusion = spreading(tf.Mean, (n) => 1 / n);
