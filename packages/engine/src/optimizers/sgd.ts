import * as tf from '@tensorflow/tfjs-core';
import { type Rule, rule } from './fuse.ts';

/** `c` is minus the learning rate. */
export const sgd: Rule = rule<{ c: tf.Scalar }>({
  optimizer: tf.SGDOptimizer,
  fields: { c: 'tensor' },
  slots: () => [],
  begin: (fields, scalars) => {
    const c = scalars.get(fields.c);
    return (out, value, gradient) => {
      for (let i = 0; i < out.length; i++) out[i] = c * gradient[i]! + value[i]!;
    };
  },
});
