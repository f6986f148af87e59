import * as tf from '@tensorflow/tfjs-core';

/** What is summed up over rows of activations; a `type`, for a TensorContainer takes no `interface`. */
export type Sums = {
  readonly rows: number;
  /** Shape [units]. */
  readonly values: tf.Tensor;
  /** Of each two units, [units, units]. */
  readonly products: tf.Tensor;
};

export const noSums = (units: number): Sums => ({
  rows: 0,
  values: tf.zeros([units]),
  products: tf.zeros([units, units]),
});

export const addRows = ({ rows, values, products }: Sums, activations: tf.Tensor2D): Sums => ({
  rows: rows + activations.shape[0],
  values: tf.add(values, tf.sum(activations, 0)),
  products: tf.add(products, tf.matMul(activations, activations, true)),
});

/** Of its mean square, what the variance of a unit in float32 may be wrong by: below it a unit is constant. */
const ROUNDING = 1e-5;
/** Of the longest path's share, how much a step keeps; the paper's 0.9. */
const DECAY = 0.9;
/** Steps after which what is left of a path (0.9^k) is below what float32 tells. */
const STEPS = 160;
/** Steps in which the spectral radius is found to within a few percent at the least. */
const POWER_STEPS = 30;

/**
 * Infinite feature selection: how much units tell that the others don't, over paths of any length through the graph of
 * all units. With sd_i the standard deviations, the largest 1, and c_ij the correlations,
 *
 *     A_ij = alpha max(sd_i, sd_j) + (1 - alpha) (1 - |c_ij|)
 *     s = ((I - r A)^-1 - I) 1 = sum over k >= 1 of (r A)^k 1,   r = 0.9 / rho(A)
 *
 * Roffo, Melzi, Cristani, "Infinite Feature Selection", ICCV 2015: A and the sum. The paper's correlation is Spearman's,
 * of ranks over all samples; here it is Pearson's, which sums up over batches. A constant unit tells nothing: it counts as
 * one that is correlated with all.
 *
 * @returns shape [units], 0 for all if all are constant.
 */
export function infiniteFeatureSelection({ rows, values, products }: Sums, alpha: number): tf.Tensor1D {
  const graph = graphOf(rows, values, products, alpha);
  const times = (vector: tf.Tensor) => tf.squeeze(tf.matMul(graph, tf.expandDims(vector, 1)), [1]);
  let direction: tf.Tensor = tf.onesLike(values);
  let radius: tf.Tensor = tf.scalar(0);
  for (let step = 0; step < POWER_STEPS; step++) {
    const next = times(direction);
    // never below the radius (Collatz, Wielandt), so that the sum converges
    radius = tf.max(tf.divNoNan(next, direction));
    direction = tf.divNoNan(next, tf.max(next));
  }
  const share = tf.divNoNan(DECAY, radius);
  let scores: tf.Tensor = tf.zerosLike(values);
  for (let step = 0; step < STEPS; step++) scores = tf.mul(share, times(tf.add(scores, 1)));
  return scores as tf.Tensor1D;
}

/** A, shape [units, units]. */
function graphOf(rows: number, values: tf.Tensor, products: tf.Tensor, alpha: number): tf.Tensor2D {
  const count = Math.max(rows, 1);
  const means = tf.expandDims(tf.div(values, count), 1);
  const squares = tf.div(products, count);
  const covariances = tf.sub(squares, tf.matMul(means, means, false, true));
  const [variances, meanSquares] = [diagonal(covariances), diagonal(squares)];
  const isConstant = tf.lessEqual(variances, tf.mul(ROUNDING, meanSquares));
  const deviations = tf.where(isConstant, tf.zerosLike(variances), tf.sqrt(tf.relu(variances)));
  const [down, across] = [tf.expandDims(deviations, 1), tf.expandDims(deviations, 0)];
  const scales = tf.mul(down, across);
  const correlations = tf.minimum(tf.abs(tf.divNoNan(covariances, scales)), 1);
  const alike = tf.where(tf.equal(scales, 0), tf.onesLike(correlations), correlations);
  const spread = tf.divNoNan(tf.maximum(down, across), tf.max(deviations));
  return tf.add(tf.mul(alpha, spread), tf.mul(1 - alpha, tf.sub(1, alike)));
}

const diagonal = (square: tf.Tensor): tf.Tensor => tf.sum(tf.mul(square, tf.eye(square.shape[0]!)), 1);
