import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';

/** The lowest sums of squared incoming weights go first. */
export const magnitude: ScorePruner = {
  name: 'magnitude',
  score: ({ incoming }) => tf.sum(tf.square(incoming), 0),
};
