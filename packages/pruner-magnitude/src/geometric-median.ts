import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { checkWeights } from './check.ts';

/**
 * Filter pruning by the geometric median: lets those units go first that are nearest to all others of their layer, which can
 * stand in for them, however large their weights are.
 *
 *     s_j = sum_k |F_j - F_k|_2
 *
 * with F_j the incoming weights of unit j. The point that minimizes this sum is the layer's geometric median; the paper
 * takes the units with the least sums instead of computing it.
 *
 * Paper: Y. He, P. Liu, Z. Wang, Z. Hu, Y. Yang, "Filter pruning via geometric median for deep convolutional neural networks
 * acceleration", CVPR 2019, section 3.
 *
 * @throws when it judges, if the units of a group have no incoming weights, as single features of a flattened map.
 */
export const geometricMedian = (): ScorePruner => ({
  name: 'geometric-median',
  score({ incoming, group }) {
    checkWeights(incoming, group, 'incoming weights');
    // distances don't mind where the middle is, and round less with it at 0
    const filters = tf.sub(incoming, tf.mean(incoming, 1, true));
    const squares = tf.sum(tf.square(filters), 0, true);
    const products = tf.matMul(filters, filters, true);
    const distances = tf.sub(tf.add(squares, tf.transpose(squares)), tf.mul(products, 2));
    return tf.sum(tf.sqrt(tf.maximum(distances, 0)), 0);
  },
});
