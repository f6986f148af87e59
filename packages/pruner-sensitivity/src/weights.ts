import * as tf from '@tensorflow/tfjs-core';

/** What is kept of a training's updates, of any shape. */
export type Gathered = {
  /** The weights before the first update. */
  readonly initial: tf.Tensor;
  /** The sum over updates n of (dE/dw)(n) dw(n). */
  readonly sum: tf.Tensor;
};

/** A weight that moved by less than this share of itself counts as having moved so far. */
const LEAST_MOVE = 0.01;

/**
 * Karnin's estimate of what the loss would grow by without a weight, one weight at a time:
 *
 *     S = -sum_n (dE/dw)(n) dw(n) * w_f / (w_f - w_i)
 *
 * with w_i the first and w_f the present weight. The sum is what the loss fell by on the way from w_i to w_f;
 * the factor stretches it to the way from 0 to w_f. Where the two nearly coincide it would be anything:
 * |w_f - w_i| counts as at least 1% of |w_f|, and a weight that is exactly where it was has sensitivity 0.
 *
 * @param present the weights w_f, of the shape of what was gathered
 */
export function weightSensitivity<T extends tf.Tensor>(present: T, { initial, sum }: Gathered): T {
  return tf.tidy(() => {
    const moved = tf.sub(present, initial);
    const least = tf.maximum(tf.mul(tf.abs(present), LEAST_MOVE), 1e-30);
    const way = tf.mul(tf.sign(moved), tf.maximum(tf.abs(moved), least));
    return tf.divNoNan(tf.neg(tf.mul(sum, present)), way) as T;
  });
}
