import type { EliminationPruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { eliminate } from './eliminate.ts';

export interface ReconstructionArgs {
  /**
   * Added to each unit's variance, in units of their mean, as `leastSquares` does: give both the same. Default 1e-4.
   */
  readonly ridge?: number;
}

/** All that is kept of the patterns seen since the epoch began. */
export type Sums = {
  /** Shape [1, units]: the means of the first batch. What follows is of activations less these. */
  readonly shift: tf.Tensor2D;
  /** Shape [1, units]. */
  readonly total: tf.Tensor2D;
  /** Shape [units, units]: of the products of each two units. */
  readonly products: tf.Tensor2D;
  readonly rows: number;
};

/** Of a mean, what float32 can't tell from a deviation of it. */
const SPACING = 1e-6;

/**
 * Takes units away one after another, each time the one that costs least when what reads the units is refitted by least
 * squares to those that are left (backward elimination).
 *
 * With C the covariances of the n units' activations, A = C + r I (r: `ridge` times the mean of C's diagonal) and W their
 * outgoing weights, [units, readers], the survivors S have the refitted weights U that minimize
 *
 *     E = tr (W - U)' A (W - U),    U = 0 for all that went
 *
 * which is the variance of what the readers no longer sum up, and r times the squared change of the weights. Without one
 * more unit q, E grows by |U_q|^2 / P_qq with P = (A_SS)^-1, and then
 *
 *     U <- U - P_q U_q' / P_qq,    P <- P - P_q P_q' / P_qq
 *
 * (the optimal brain surgeon's step, Hassibi & Stork 1993, equation 5, on a unit's weights to all of its readers at once).
 * The score is E after that step as a share of tr W' A W, from 0 (nothing is lost) to 1 (all is), so a `threshold` is
 * how much may be lost, and scores compare between groups. The order is right for `leastSquares`, which makes the refit.
 *
 * The sums over patterns (and positions) are made batch by batch, the rest in float64: 4 bytes for each two units whatever
 * the number of patterns, and n^3 steps. Where several weights read a unit at several positions, what they miss is taken for
 * independent.
 *
 * @throws if `ridge` is not above 0; when it judges, if no pattern has been seen since the epoch began.
 */
export const reconstruction = ({ ridge = 1e-4 }: ReconstructionArgs = {}): EliminationPruner<Sums> => {
  if (!(ridge > 0 && Number.isFinite(ridge))) {
    throw new Error(`[pruner-reconstruction] ridge must be above 0, e.g. 1e-4, got ${ridge}`);
  }
  return {
    name: 'reconstruction',
    needs: ['activations'],
    pools: true,
    comparable: true,
    init: empty,
    onEpochBegin: ({ bias }) => empty(bias.shape[0]),
    onBatchEnd({ activations }, { shift: before, total, products, rows }) {
      const shift = rows === 0 ? tf.mean<tf.Tensor2D>(activations, 0, true) : before;
      const beyond = tf.sub<tf.Tensor2D>(activations, shift);
      return {
        shift,
        total: tf.add(total, tf.sum(beyond, 0, true)),
        products: tf.add(products, tf.matMul(tf.transpose(beyond), beyond)),
        rows: rows + activations.shape[0],
      };
    },
    measure({ outgoing }, { shift, total, products, rows }) {
      if (rows === 0) throw new Error('no pattern has been seen since the epoch began');
      const mean = tf.div<tf.Tensor2D>(total, rows);
      const covariances = tf.sub(tf.div(products, rows), tf.matMul(tf.transpose(mean), mean));
      // units that never vary must not look as if they varied by less than 0
      const unsure = tf.square(tf.mul(SPACING, tf.add(shift, mean)));
      const floor = tf.mul(tf.eye(products.shape[0]), unsure);
      return tf.concat([tf.add(covariances, floor), tf.matMul(outgoing, tf.transpose(outgoing))], 1);
    },
    eliminate: (numbers, units) => eliminate(numbers, units, ridge),
  };
};

const empty = (units: number): Sums => ({
  shift: tf.zeros([1, units]),
  total: tf.zeros([1, units]),
  products: tf.zeros([units, units]),
  rows: 0,
});
