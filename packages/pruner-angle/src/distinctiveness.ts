import type { PairPruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { angle, type Gram } from './angle.ts';

/** Which units are alike, contrary or constant. */
export interface DistinctivenessArgs {
  /** Degrees, 0 to 180: a pair at a smaller angle is similar. Default 15. */
  readonly lower?: number;
  /** Degrees, 0 to 180: a pair at a larger angle is complementary. Default 165. */
  readonly upper?: number;
  /** A unit whose activations lie no further apart than this on all patterns is constant. Default 0.05. */
  readonly constant?: number;
}

/** What is kept of the patterns seen since the epoch began. */
export type Distinct = {
  readonly gram: Gram;
  /** Shape [units]: each unit's least and greatest activation. */
  readonly least: tf.Tensor;
  readonly greatest: tf.Tensor;
};

/**
 * Distinctiveness as it was first told: at 15 degrees one of two similar units goes, from 165 on both, and a unit that
 * says nothing goes by itself.
 *
 * It is `angle` with `complementary: 'remove'` and
 *
 *     unit j is constant if  max_p h_pj - min_p h_pj <= constant
 *
 * A constant unit is a second bias: it is proposed before all pairs, with score 0, and in place of a partner the
 * biases of what reads it take over its mean (`addOutgoing({ alone: 'mean' })`, which is the default for it). So
 * goes a unit that is nearly 0, and what both of a complementary pair say on average.
 *
 * Paper: T. D. Gedeon, D. Harris, "Network reduction techniques", Proc. Int. Conf. on Neural Networks Methodologies
 * and Applications, 1991.
 *
 * @throws if a bound is outside 0 to 180, `lower` isn't below `upper`, or `constant` is negative.
 */
export const distinctiveness = ({
  lower = 15,
  upper = 165,
  constant = 0.05,
}: DistinctivenessArgs = {}): PairPruner<Distinct> => {
  const pairs = angle({ lower, upper, complementary: 'remove' });
  if (!(constant >= 0))
    throw new Error(`[pruner-angle] constant must be a number of at least 0, got ${constant}`);
  const empty = (units: number, gram: Gram): Distinct => ({
    gram,
    least: tf.fill([units], Number.POSITIVE_INFINITY),
    greatest: tf.fill([units], Number.NEGATIVE_INFINITY),
  });
  return {
    name: 'distinctiveness',
    needs: ['activations'],
    pools: true,
    leavesMeans: true,
    init: (units) => empty(units, pairs.init!(units)),
    onEpochBegin: (weights, { gram }) => empty(weights.bias.shape[0], pairs.onEpochBegin!(weights, gram)),
    onBatchEnd: (seen, { gram, least, greatest }) => ({
      gram: pairs.onBatchEnd!(seen, gram),
      least: tf.minimum(least, tf.min(seen.activations, 0)),
      greatest: tf.maximum(greatest, tf.max(seen.activations, 0)),
    }),
    compare(weights, { gram, least, greatest }) {
      const matrix = pairs.compare(weights, gram);
      // a length of 0 on the diagonal: to `angle` the unit is dead
      const varies = tf.greater(tf.sub(greatest, least), constant);
      const self = tf.cast(tf.eye(least.shape[0]!), 'bool');
      return tf.where(tf.logicalAnd(self, tf.logicalNot(varies)), tf.zerosLike(matrix), matrix);
    },
    propose: (matrix, units) => pairs.propose(matrix, units),
  };
};
