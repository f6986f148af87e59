import type { WeightScorer } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Judges single weights by their size: those nearest to 0 go (Han, Pool, Tran, Dally 2015, section 3). For `pruneWeights`;
 * its `ranking` says whether each layer loses the same share, or all together.
 */
export const magnitudeWeights = (): WeightScorer => ({
  name: 'magnitude',
  score: (kernel) => tf.abs(kernel),
});
