import * as tf from '@tensorflow/tfjs-core';
import { type Rule, rule } from './fuse.ts';

interface Fields {
  learningRate: number;
  decay: number;
  momentum: number;
  epsilon: number;
  centered: boolean;
}

/** Centered, tf.train takes epsilon away under the root in place of adding it; so does this. */
export const rmsProp: Rule = rule<Fields>({
  optimizer: tf.RMSPropOptimizer,
  fields: {
    learningRate: 'number',
    decay: 'number',
    momentum: 'number',
    epsilon: 'number',
    centered: 'boolean',
  },
  slots: ({ centered }) => [
    { field: 'accumulatedMeanSquares', suffix: 'rms' },
    { field: 'accumulatedMoments', suffix: 'momentum' },
    ...(centered ? [{ field: 'accumulatedMeanGrads', suffix: 'mg' }] : []),
  ],
  begin: ({ learningRate, decay, momentum, epsilon, centered }) => {
    const rest = 1 - decay;
    return (out, value, gradient, slots) => {
      const [squares, moments] = [slots[0]!, slots[1]!];
      const means = slots[2] ?? squares;
      for (let i = 0; i < out.length; i++) {
        const g = gradient[i]!;
        const square = squares[i]! * decay + g * g * rest;
        let under = square + epsilon;
        if (centered) {
          const mean = means[i]! * decay + g * rest;
          means[i] = mean;
          under = square - (mean * mean + epsilon);
        }
        squares[i] = square;
        const moment = moments[i]! * momentum + (g * learningRate) / Math.sqrt(under);
        moments[i] = moment;
        out[i] = value[i]! - moment;
      }
    };
  },
});
