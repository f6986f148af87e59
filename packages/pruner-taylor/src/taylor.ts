import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { meanOf, nothing, slopesOf, type Total } from './slopes.ts';

/** What {@link taylor} takes. */
export interface TaylorArgs {
  /**
   * What the absolute value is taken of: the slope of each `'pattern'`, as in 2017, or of the mean loss of `'all'`, as in
   * 2019. Default `'pattern'`.
   */
  readonly per?: 'pattern' | 'all';
}

/**
 * Lets those units go first whose removal changes the loss least, up or down, by the first term of its Taylor series.
 *
 * With e_pj = dE_p/dh_j the error sent back to unit j by the loss E_p of pattern p, and a channel's pixels summed up,
 *
 *     g_pj = sum over positions of e_pj h_pj    ~  E_p with j - E_p without j
 *     s_j = mean_p |g_pj|                       per 'pattern': Molchanov 2017, equation 8
 *     s_j = |mean_p g_pj|                       per 'all': Molchanov 2019, section 3.1, of which it is the square root
 *
 * - 2017 takes the mean over a channel's pixels where this takes the sum: the same within a layer. It divides a layer's
 *   scores by their length before it compares layers; here core divides them by their mean.
 * - 2019 squares the slope of the loss of a minibatch, and averages over some of them. Here all patterns of the epoch (or
 *   of the data of a plan) are one; scores are changes of the mean loss, and compare between layers.
 * - At a minimum of the loss the mean slope of every unit is 0: `'all'` is then noise, `'pattern'` is not.
 *
 * Papers: P. Molchanov, S. Tyree, T. Karras, T. Aila, J. Kautz, "Pruning convolutional neural networks for resource efficient
 * inference", ICLR 2017; P. Molchanov, A. Mallya, S. Tyree, I. Frosio, J. Kautz, "Importance estimation for neural network
 * pruning", CVPR 2019.
 *
 * @throws if `per` is neither of the two; when it judges, if no pattern has been seen since the epoch began.
 */
export const taylor = ({ per = 'pattern' }: TaylorArgs = {}): ScorePruner<Total> => {
  if (per !== 'pattern' && per !== 'all') {
    throw new Error(`[pruner-taylor] per must be 'pattern' or 'all', got '${per}'`);
  }
  return {
    name: 'taylor',
    needs: ['activations', 'errors'],
    pools: true,
    comparable: per === 'all',
    init: nothing,
    onEpochBegin: ({ bias }) => nothing(bias.shape[0]),
    onBatchEnd(seen, { patterns, sum }) {
      const slopes = slopesOf(seen);
      const counted = per === 'pattern' ? tf.abs(slopes) : slopes;
      return { patterns: patterns + seen.patterns, sum: tf.add(sum, tf.sum(counted, 0)) };
    },
    score: (_, total) => tf.abs(meanOf(total)),
  };
};
