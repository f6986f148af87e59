import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { checkWeights } from './check.ts';

/** What {@link magnitude} takes. */
export interface MagnitudeArgs {
  /** `'l1'`: the sum of the absolute weights, as in the paper. `'l2'`: their Euclidean length. Default `'l1'`. */
  readonly norm?: 'l1' | 'l2';
  /** The weights that feed the unit, or those that read it. Default `'incoming'`. */
  readonly of?: 'incoming' | 'outgoing';
}

/**
 * Lets those units go first that have the smallest weights.
 *
 *     s_j = sum_i |w_ij|    'l1'        s_j = (sum_i w_ij^2)^(1/2)    'l2'
 *
 * over all kernel weights that feed the unit (a filter of a convolution) or, with `of: 'outgoing'`, over those that read
 * it. Biases don't count. A layer's scores are those of its own scale: ranked beside others they are divided by its mean.
 *
 * Papers: H. Li, A. Kadav, I. Durdanovic, H. Samet, H. P. Graf, "Pruning filters for efficient ConvNets", ICLR 2017,
 * section 3.1 (`'l1'`, incoming); Y. He, G. Kang, X. Dong, Y. Fu, Y. Yang, "Soft filter pruning", IJCAI 2018
 * (`'l2'`).
 *
 * @throws if an argument is none of its values; when it judges, if a group has no such weights: single features of a
 * flattened map have no incoming ones.
 */
export const magnitude = ({ norm = 'l1', of = 'incoming' }: MagnitudeArgs = {}): ScorePruner => {
  if (norm !== 'l1' && norm !== 'l2') {
    throw new Error(`[pruner-magnitude] norm must be 'l1' or 'l2', got '${norm}'`);
  }
  if (of !== 'incoming' && of !== 'outgoing') {
    throw new Error(`[pruner-magnitude] of must be 'incoming' or 'outgoing', got '${of}'`);
  }
  return {
    name: 'magnitude',
    score(weights) {
      const own = of === 'incoming' ? weights.incoming : tf.transpose(weights.outgoing);
      checkWeights(own, weights.group, `${of} weights`);
      // tf.norm raises to a power, which takes several times as long
      return norm === 'l1' ? tf.sum(tf.abs(own), 0) : tf.sqrt(tf.sum(tf.square(own), 0));
    },
  };
};
