import type { EliminationPruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { eliminate } from './eliminate.ts';

/** What {@link clustering} takes. */
export interface ClusteringArgs {
  /** Any whole number. Another seed begins with other centres. Default 0. */
  readonly seed?: number;
}

/**
 * Keeps one unit of each cluster of similar ones: the one nearest the centre. As many clusters are made as units should
 * stay.
 *
 * With F_j the weights that feed unit j, k-means++ finds k centres c and clusters S_1 ... S_k that make
 *
 *     sum_i sum_{j in S_i} |F_j - c_i|^2,    c_i the mean of S_i
 *
 * small, and argmin_{j in S_i} |F_j - c_i| stays for each i. The score of a unit that goes is its squared distance to
 * the one that stays for it, over the mean squared distance of all units to their mean: 0 for a copy.
 *
 * Clusters for one k are no parts of those for another. Where it is not known how many units go (by a threshold, where
 * groups are ranked together, among other criteria), half of the units stay, then half of these, and so on.
 *
 * Paper: L. Li, Y. Xu, J. Zhu, "Filter level pruning based on similar feature extraction for convolutional neural networks",
 * IEICE Transactions on Information and Systems E101-D, 2018; for the first centres D. Arthur, S. Vassilvitskii,
 * "k-means++: the advantages of careful seeding", 2007.
 *
 * @throws if `seed` isn't a whole number; when it judges, if the units of a group have no incoming weights, as single
 * features of a flattened map.
 */
export const clustering = ({ seed = 0 }: ClusteringArgs = {}): EliminationPruner => {
  if (!Number.isSafeInteger(seed)) {
    throw new Error(`[pruner-clustering] seed must be a whole number, got ${seed}`);
  }
  return {
    name: 'clustering',
    byCount: true,
    comparable: true,
    measure({ incoming, group }) {
      const [fanIn, units] = incoming.shape;
      if (fanIn === 0) {
        throw new Error(`the units of group '${group}' have no incoming weights: leave it out of the scope`);
      }
      // a text as the seed: TensorFlow.js draws in JavaScript whatever the engine
      const draws = tf.randomUniform([units, 1], 0, 1, 'float32', `${seed}/${group}`);
      return tf.concat([draws, tf.transpose(incoming)], 1);
    },
    eliminate,
  };
};
