import { type EliminationPruner, leastSquares, type PairPruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { eliminate } from './eliminate.ts';
import { Partners } from './partners.ts';

/** What {@link reconstruction} takes. */
export interface ReconstructionArgs {
  /**
   * Added to each unit's variance, in units of their mean, as `leastSquares` does: give both the same. Default 1e-4.
   */
  readonly ridge?: number;
  /**
   * A pruner of pairs, with bounds of its own: a unit may go only while another stays with which it would be proposed, as
   * `angle({ lower: 60, upper: 150 })` says who is like whom. Which of them go, and when, is told by the cost as ever.
   */
  readonly among?: PairPruner;
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
  /** What `among` has gathered. */
  readonly pairs: tf.TensorContainer;
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
 * independent. Constants cost nothing, for biases, or the normalisations behind, take them over: readers with
 * neither miss more than the score says.
 *
 * Each step counts on the refit before it, so `leastSquares` with the same ridge is what a plan does by default.
 *
 * @throws if `ridge` is not above 0 or `among` no pruner of pairs; when it judges, if no pattern has been seen since the epoch began.
 */
export const reconstruction = ({ ridge = 1e-4, among }: ReconstructionArgs = {}): EliminationPruner<Sums> => {
  if (!(ridge > 0 && Number.isFinite(ridge))) {
    throw new Error(`[pruner-reconstruction] ridge must be above 0, e.g. 1e-4, got ${ridge}`);
  }
  if (among && !('compare' in among)) {
    throw new Error('[pruner-reconstruction] among must be a pruner of pairs, e.g. angle({ lower: 60 })');
  }
  const begin = (units: number): Sums => ({
    shift: tf.zeros([1, units]),
    total: tf.zeros([1, units]),
    products: tf.zeros([units, units]),
    rows: 0,
    pairs: among?.init?.(units) ?? [],
  });
  return {
    name: among ? `reconstruction among ${among.name}` : 'reconstruction',
    needs: [...new Set(['activations' as const, ...(among?.needs ?? [])])],
    pools: among ? (among.pools ?? false) : true,
    comparable: true,
    compensation: leastSquares({ ridge }),
    init: begin,
    onEpochBegin(weights, { pairs }) {
      const begun = begin(weights.bias.shape[0]);
      return { ...begun, pairs: among?.onEpochBegin?.(weights, pairs) ?? pairs };
    },
    onBatchEnd(seen, { shift: before, total, products, rows, pairs }) {
      const { activations } = seen;
      const shift = rows === 0 ? tf.mean<tf.Tensor2D>(activations, 0, true) : before;
      const beyond = tf.sub<tf.Tensor2D>(activations, shift);
      return {
        shift,
        total: tf.add(total, tf.sum(beyond, 0, true)),
        products: tf.add(products, tf.matMul(tf.transpose(beyond), beyond)),
        rows: rows + activations.shape[0],
        pairs: among?.onBatchEnd?.(seen, pairs) ?? pairs,
      };
    },
    measure(weights, { shift, total, products, rows, pairs }) {
      const { outgoing } = weights;
      if (rows === 0) throw new Error('no pattern has been seen since the epoch began');
      const mean = tf.div<tf.Tensor2D>(total, rows);
      const covariances = tf.sub(tf.div(products, rows), tf.matMul(tf.transpose(mean), mean));
      // units that never vary must not look as if they varied by less than 0
      const unsure = tf.square(tf.mul(SPACING, tf.add(shift, mean)));
      const floor = tf.mul(tf.eye(products.shape[0]), unsure);
      const known = [tf.add(covariances, floor), tf.matMul(outgoing, tf.transpose(outgoing))];
      return tf.concat(among ? [...known, among.compare(weights, pairs)] : known, 1);
    },
    eliminate(numbers, units) {
      const part = (which: number) => columnsOf(numbers, units, among ? 3 : 2, which);
      const known = { covariances: Float64Array.from(part(0)), weights: Float64Array.from(part(1)) };
      return eliminate(known, units, ridge, among && new Partners(among, part(2), units));
    },
  };
};

/** One of several square matrices that stand side by side. */
const columnsOf = (numbers: Float32Array, units: number, matrices: number, which: number): Float32Array =>
  Float32Array.from({ length: units * units }, (_, i) => {
    return numbers[(matrices * Math.floor(i / units) + which) * units + (i % units)]!;
  });
