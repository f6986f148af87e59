import type { Seen } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';

/** A sum over the patterns since the epoch began, and how many they were. */
export type Total = {
  readonly patterns: number;
  /** Shape [units]. */
  readonly sum: tf.Tensor;
};

export const nothing = (units: number): Total => ({ patterns: 0, sum: tf.zeros([units]) });

/**
 * The slopes of each pattern's loss by the gates that multiply units, where all gates are open (1): g_pj = sum over
 * positions of e_pj h_pj. Shape [patterns, units].
 */
export function slopesOf({ activations, errors, patterns }: Seen): tf.Tensor {
  const [, units] = activations.shape;
  return tf.sum(tf.reshape(tf.mul(errors, activations), [patterns, -1, units]), 1);
}

/** @throws if nothing was seen. */
export function meanOf({ patterns, sum }: Total): tf.Tensor {
  if (patterns === 0) throw new Error('no pattern has been seen since the epoch began');
  return tf.div(sum, patterns);
}
