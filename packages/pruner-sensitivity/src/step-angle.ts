import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';

/** Over which stretch of the training units are judged. */
export interface StepAngleArgs {
  /** Since when a unit's turning is measured: the begin of the epoch, or the last update. Default `'epoch'`. */
  readonly since?: 'epoch' | 'step';
}

/**
 * Lets those units go first that have stopped learning: whose incoming weights turned least.
 *
 * With w_j the vector of the weights that feed unit j, before the last epoch (or the last update) and now,
 *
 *     score_j = angle(w_j before, w_j now)  in degrees
 *
 * A vector of zeros doesn't turn. The bias isn't part of the vector. Without an update there is nothing to tell:
 * it judges in training only, by `prune` or `watch`.
 *
 * Paper: Singh, "Sensitivity based Pruning hidden Neurons", 2018, future work.
 *
 * @throws if `since` is neither of the two; when it judges, if no training was watched.
 */
export const stepAngle = ({ since = 'epoch' }: StepAngleArgs = {}): ScorePruner<tf.Tensor2D | undefined> => {
  if (since !== 'epoch' && since !== 'step') {
    throw new Error(`[pruner-sensitivity] since must be 'epoch' or 'step', got '${since}'`);
  }
  const common: ScorePruner<tf.Tensor2D | undefined> = {
    name: 'step-angle',
    // the epoch's angle reads none, but hosts know by it that only a training tells
    needs: ['updates'],
    pools: true,
    onEpochBegin: ({ incoming }) => incoming,
    onBatchEnd: (_, before) => before,
    score({ incoming }, before) {
      if (!before) throw new Error('no training was watched: no weight has turned');
      return degreesBetween(before, incoming);
    },
  };
  if (since === 'epoch') return common;
  return {
    ...common,
    pools: false,
    onBatchEnd: ({ updates }) => tf.squeeze(updates.incoming.before, [0]),
  };
};

/** Shape [units]: the angles between the columns of two matrices. */
function degreesBetween(one: tf.Tensor2D, other: tf.Tensor2D): tf.Tensor {
  const [a, b] = [directions(one), directions(other)];
  // by the half angle's tangent: the cosine of small angles has no digits left
  const half = tf.atan2(tf.norm(tf.sub(a, b), 'euclidean', 0), tf.norm(tf.add(a, b), 'euclidean', 0));
  return tf.mul(half, 360 / Math.PI);
}

/** The columns at length 1; a column of zeros stays. */
function directions(columns: tf.Tensor2D): tf.Tensor {
  // by the largest number first, for squares of tiny ones are 0
  const scaled = tf.divNoNan(columns, tf.max(tf.abs(columns), 0));
  return tf.divNoNan(scaled, tf.norm(scaled, 'euclidean', 0));
}
