import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';

const orders: readonly unknown[] = [1, 2, 'exact'];

/** What {@link relevance} takes. */
export interface RelevanceArgs {
  /**
   * 1: the slope of the loss where the unit is there, as in the paper. 2: also its bend, which tells more once
   * a training has flattened the slopes. `'exact'`: no estimate, the unit is shut off: for small networks, since it
   * costs a forward pass for each unit, and where a plan is made by data, not in the middle of a training. Default 1.
   */
  readonly order?: 1 | 2 | 'exact';
}

/**
 * Lets those units go first without which the loss would grow least: "loss without the unit minus loss with it".
 *
 * A gate a_j that multiplies unit j's activation h_pj is open at 1 and shut at 0. With e_pj = dE_p/dh_j the
 * error sent back to the unit by the loss E_p of pattern p, and all sums over a channel's pixels taken first,
 *
 *     g_pj = dE_p/da_j at a_j = 1  =  sum over positions of e_pj h_pj
 *     R_j = sum_p (E_p without j - E_p with j)                                       order 'exact'
 *                                              ~  -sum_p g_pj                         order 1
 *                                              ~  -sum_p g_pj + 1/2 sum_p g_pj^2      order 2
 *
 * - A negative relevance says that the loss falls without the unit. Lowest first; not by absolute value.
 * - Order 1 is the paper's estimate. At a minimum of the loss it is 0 for every unit, since
 *   sum_p g_pj = sum_k w_jk dE/dw_jk: the paper therefore trained by one loss and took relevances by a linear
 *   one, |target - output|, for which a model can be compiled before `plan`.
 * - Order 2 adds the second term of the Taylor series, with d2E_p/da_j^2 taken as g_pj^2 (Fisher's information;
 *   right on average for losses that are the negative log of a probability, such as cross-entropy).
 *
 * The sums are over the patterns of one epoch, or of the data that a plan is made by: divide by their number for
 * the change of the mean loss.
 *
 * Papers: M. C. Mozer, P. Smolensky, "Skeletonization: a technique for trimming the fat from a network via
 * relevance assessment", NIPS 1, 1989; for order 2 L. Theis, I. Korshunova, A. Tejani, F. Huszar, "Faster gaze
 * prediction with dense networks and Fisher pruning", 2018.
 *
 * @throws if `order` is none of these; `'exact'` in a training.
 */
export const relevance = ({ order = 1 }: RelevanceArgs = {}): ScorePruner<tf.Tensor> => {
  if (!orders.includes(order)) {
    throw new Error(`[pruner-relevance] order must be 1, 2 or 'exact', got ${order}`);
  }
  return {
    name: 'relevance',
    needs: order === 'exact' ? ['losses'] : ['activations', 'errors'],
    pools: true,
    comparable: true,
    init: (units) => tf.zeros([units]),
    onEpochBegin: ({ bias }) => tf.zerosLike(bias),
    onBatchEnd(seen, total) {
      if (order === 'exact') return tf.add(total, tf.sum(seen.losses, 0));
      const { activations, errors, patterns } = seen;
      const slopes = tf.mul(errors, activations);
      if (order === 1) return tf.sub(total, tf.sum(slopes, 0));
      const [, units] = activations.shape;
      const gates = tf.sum(tf.reshape(slopes, [patterns, -1, units]), 1);
      return tf.add(total, tf.sum(tf.mul(gates, tf.sub(tf.div(gates, 2), 1)), 0));
    },
    score: (_, total) => total,
  };
};
