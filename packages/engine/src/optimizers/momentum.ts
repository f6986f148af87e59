import * as tf from '@tensorflow/tfjs-core';
import { type Rule, rule } from './fuse.ts';

/** `c` is minus the learning rate, `m` the momentum. */
export const momentum: Rule = rule<{ c: tf.Scalar; m: tf.Scalar; useNesterov: boolean }>({
  optimizer: tf.MomentumOptimizer,
  fields: { c: 'tensor', m: 'tensor', useNesterov: 'boolean' },
  slots: () => [{ field: 'accumulations', suffix: 'momentum' }],
  begin: (fields, scalars) => {
    const [c, m] = [scalars.get(fields.c), scalars.get(fields.m)];
    const [ownShare, pastShare] = fields.useNesterov ? [1, m] : [0, 1];
    return (out, value, gradient, slots) => {
      const past = slots[0]!;
      for (let i = 0; i < out.length; i++) {
        const sum = m * past[i]! + gradient[i]!;
        past[i] = sum;
        out[i] = c * (ownShare * gradient[i]! + pastShare * sum) + value[i]!;
      }
    };
  },
});
