import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';

export interface RandomArgs {
  /** Any whole number. Another seed draws other scores. Default 0. */
  readonly seed?: number;
}

/**
 * Gives every unit a score drawn at random: the baseline that a criterion must beat to be worth its cost.
 *
 * score_j ~ U(0, 1), drawn by the Alea generator from the seed and the group's id: the same seed, group and
 * number of units give the same scores on every engine and in every run, and two groups of one model don't
 * share their draws. It looks at no data and at no weight, so a unit's score says only where it stands.
 *
 * @throws if `seed` isn't a whole number.
 */
export const random = ({ seed = 0 }: RandomArgs = {}): ScorePruner => {
  if (!Number.isSafeInteger(seed))
    throw new Error(`[pruner-random] seed must be a whole number, got ${seed}`);
  return {
    name: 'random',
    // a text as the seed: TensorFlow.js draws in JavaScript whatever the engine, and takes texts as they are
    score: ({ group, bias }) => tf.randomUniform(bias.shape, 0, 1, 'float32', `${seed}/${group}`),
  };
};
