import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Lets those units go first to which the largest errors are sent back.
 *
 * With e_pj = dE_p/dh_j the error sent back to unit j by the loss E_p of pattern p,
 *
 *     B_j = sum_p e_pj^2,    score_j = -B_j
 *
 * so the worst unit goes first. Where a unit has several positions (a channel's pixels), each is an activation
 * with an error of its own, and their squares are summed: B_j is the squared length of all errors sent to it.
 *
 * The sums are over the patterns of one epoch, or of the data that a plan is made by; the loss is the model's
 * own, of each pattern by itself. A scale for all errors, such as another batch size, changes no order.
 *
 * Papers: M. Hagiwara, "Novel back propagation algorithm for reduction of hidden units and acceleration of
 * convergence using artificial selection", IJCNN 1990; T. D. Gedeon, D. Harris, "Network reduction
 * techniques", 1991.
 */
export const badness = (): ScorePruner<tf.Tensor> => ({
  name: 'badness',
  needs: ['errors'],
  pools: true,
  init: (units) => tf.zeros([units]),
  onEpochBegin: ({ bias }) => tf.zerosLike(bias),
  onBatchEnd: ({ errors }, total) => tf.add(total, tf.sum(tf.square(errors), 0)),
  score: (_, total) => tf.neg(total),
});
