import * as tf from '@tensorflow/tfjs-core';
import { type Rule, rule } from './fuse.ts';

/** tf.train divides by the squares before this step, not after it as in the paper; so does this. */
export const adadelta: Rule = rule<{ learningRate: number; rho: number; epsilon: number }>({
  optimizer: tf.AdadeltaOptimizer,
  fields: { learningRate: 'number', rho: 'number', epsilon: 'number' },
  slots: () => [
    { field: 'accumulatedGrads', suffix: 'accum_grad' },
    { field: 'accumulatedUpdates', suffix: 'accum_var' },
  ],
  begin: ({ learningRate, rho, epsilon }) => {
    const rest = 1 - rho;
    return (out, value, gradient, slots) => {
      const [squares, updates] = [slots[0]!, slots[1]!];
      for (let i = 0; i < out.length; i++) {
        const g = gradient[i]!;
        const update = Math.sqrt((updates[i]! + epsilon) / (squares[i]! + epsilon)) * g;
        squares[i] = squares[i]! * rho + g * g * rest;
        updates[i] = updates[i]! * rho + update * update * rest;
        out[i] = value[i]! - learningRate * update;
      }
    };
  },
});
