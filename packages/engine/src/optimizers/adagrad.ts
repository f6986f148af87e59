import * as tf from '@tensorflow/tfjs-core';
import { type Rule, rule } from './fuse.ts';

/** The slot is the sum of squares so far. */
export const adagrad: Rule = rule<{ learningRate: number; initialAccumulatorValue: number }>({
  optimizer: tf.AdagradOptimizer,
  fields: { learningRate: 'number', initialAccumulatorValue: 'number' },
  slots: ({ initialAccumulatorValue: start }) => [
    { field: 'accumulatedGrads', suffix: 'accumulator', start },
  ],
  begin: ({ learningRate }) => {
    const epsilon = tf.backend().epsilon();
    return (out, value, gradient, slots) => {
      const squares = slots[0]!;
      for (let i = 0; i < out.length; i++) {
        const g = gradient[i]!;
        const square = squares[i]! + g * g;
        squares[i] = square;
        out[i] = value[i]! - (learningRate * g) / Math.sqrt(square + epsilon);
      }
    };
  },
});
