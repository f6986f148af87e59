import * as tf from '@tensorflow/tfjs-core';
import { addressOf } from '../loops/loops.ts';
import type { Fusion } from './fusion.ts';

/** Shipped as ten operations where each line has a divisor, as probabilities that are made to sum to 1. */
export const division: Fusion = {
  of: tf.RealDiv,
  gradient: ({ dy, saved, run }) => {
    const [a, b] = [saved[0]!, saved[1]!];
    const perLine = tf.util.arraysEqual([...a.shape.slice(0, -1), 1], b.shape);
    return a.rank > 0 && perLine ? { a: () => tf.div(dy, b), b: () => run([dy, a, b]) } : undefined;
  },
  kernel: ({ inputs: [dy, a, b], backend, loops }) => {
    const out = backend.makeOutput(b!.shape, 'float32');
    const lines = tf.util.sizeFromShape(b!.shape);
    const [errors, over, under, to] = [dy!, a!, b!, out].map((info) => addressOf(backend, info));
    loops.divisorGradient(errors!, over!, under!, lines, a!.shape.at(-1)!, to!);
    return out;
  },
};
