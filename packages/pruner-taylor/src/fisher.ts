import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { meanOf, nothing, slopesOf, type Total } from './slopes.ts';

/**
 * Lets those units go first without which the loss would grow least, by the second term of its Taylor series.
 *
 *     s_j = 1/2 mean_p g_pj^2,    g_pj = sum over positions of e_pj h_pj
 *
 * with e_pj = dE_p/dh_j the error sent back to unit j by the loss E_p of pattern p. The bend of the loss by a unit's gate is
 * taken as the mean of squared slopes (Fisher's information: right on average for losses that are the negative log of a
 * probability, such as cross-entropy). The first term is left out, as if training had made it 0. Scores are changes of the
 * mean loss, and compare between layers.
 *
 * `relevance({ order: 2 })` of `@espalier/pruner-relevance` keeps the first term with its sign: a unit without which the loss
 * falls may go before one without which nothing happens. Here nothing is below 0.
 *
 * Papers: L. Theis, I. Korshunova, A. Tejani, F. Huszar, "Faster gaze prediction with dense networks and Fisher pruning", 2018;
 * for channels that groups of layers share L. Liu et al., "Group Fisher pruning for practical network compression", ICML 2021,
 * section 3, which leaves out the half, and divides by what a unit costs.
 *
 * @throws when it judges, if no pattern has been seen since the epoch began.
 */
export const fisher = (): ScorePruner<Total> => ({
  name: 'fisher',
  needs: ['activations', 'errors'],
  pools: true,
  comparable: true,
  init: nothing,
  onEpochBegin: ({ bias }) => nothing(bias.shape[0]),
  onBatchEnd: (seen, { patterns, sum }) => ({
    patterns: patterns + seen.patterns,
    sum: tf.add(sum, tf.sum(tf.square(slopesOf(seen)), 0)),
  }),
  score: (_, total) => tf.div(meanOf(total), 2),
});
