import * as tf from '@tensorflow/tfjs-core';
import { type Rule, rule } from './fuse.ts';

interface Fields {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  accBeta1: tf.Variable;
  accBeta2: tf.Variable;
}

/** `accBeta1` and `accBeta2` are the powers of the betas so far. */
export const adam: Rule = rule<Fields>({
  optimizer: tf.AdamOptimizer,
  fields: {
    learningRate: 'number',
    beta1: 'number',
    beta2: 'number',
    epsilon: 'number',
    accBeta1: 'tensor',
    accBeta2: 'tensor',
  },
  slots: () => [
    { field: 'accumulatedFirstMoment', suffix: 'm' },
    { field: 'accumulatedSecondMoment', suffix: 'v' },
  ],
  begin: ({ learningRate, beta1, beta2, epsilon, accBeta1, accBeta2 }, scalars, loops) => {
    const [rest1, rest2] = [1 - beta1, 1 - beta2];
    const rate = learningRate / (1 - scalars.get(accBeta1));
    const correction = 1 / (1 - scalars.get(accBeta2));
    return (out, value, gradient, slots) => {
      const [first, second] = [slots[0]!, slots[1]!];
      if (loops) {
        const [to, from, by, m, v] = [out, value, gradient, first, second].map((array) => array.byteOffset);
        const factors = [beta1, rest1, beta2, rest2, rate, correction, epsilon] as const;
        loops.adam(to!, from!, by!, m!, v!, out.length, ...factors);
        return;
      }
      for (let i = 0; i < out.length; i++) {
        const g = gradient[i]!;
        const m = first[i]! * beta1 + g * rest1;
        const v = second[i]! * beta2 + g * g * rest2;
        first[i] = m;
        second[i] = v;
        out[i] = value[i]! - (rate * m) / (Math.sqrt(v * correction) + epsilon);
      }
    };
  },
  end: ({ beta1, beta2, accBeta1, accBeta2 }, scalars) => {
    scalars.set(accBeta1, scalars.get(accBeta1) * Math.fround(beta1));
    scalars.set(accBeta2, scalars.get(accBeta2) * Math.fround(beta2));
  },
});
