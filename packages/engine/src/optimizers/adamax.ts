import * as tf from '@tensorflow/tfjs-core';
import { type Rule, rule } from './fuse.ts';

interface Fields {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  decay: number;
  accBeta1: tf.Variable;
  iteration: tf.Variable;
}

/** The second slot is the largest gradient so far, fading. */
export const adamax: Rule = rule<Fields>({
  optimizer: tf.AdamaxOptimizer,
  fields: {
    learningRate: 'number',
    beta1: 'number',
    beta2: 'number',
    epsilon: 'number',
    decay: 'number',
    accBeta1: 'tensor',
    iteration: 'tensor',
  },
  slots: () => [
    { field: 'accumulatedFirstMoment', suffix: 'm' },
    { field: 'accumulatedWeightedInfNorm', suffix: 'v' },
  ],
  begin: ({ learningRate, beta1, beta2, epsilon, decay, accBeta1, iteration }, scalars) => {
    const rest = 1 - beta1;
    const rate = learningRate / (scalars.get(iteration) * decay + 1) / (1 - scalars.get(accBeta1));
    return (out, value, gradient, slots) => {
      const [first, largest] = [slots[0]!, slots[1]!];
      for (let i = 0; i < out.length; i++) {
        const g = gradient[i]!;
        const m = first[i]! * beta1 + g * rest;
        const norm = Math.max(largest[i]! * beta2, Math.abs(g));
        first[i] = m;
        largest[i] = norm;
        out[i] = value[i]! - (rate * m) / (norm + epsilon);
      }
    };
  },
  end: ({ beta1, accBeta1, iteration }, scalars) => {
    scalars.set(iteration, scalars.get(iteration) + 1);
    scalars.set(accBeta1, scalars.get(accBeta1) * Math.fround(beta1));
  },
});
