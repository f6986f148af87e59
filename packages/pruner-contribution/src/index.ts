import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';

/** What {@link contribution} takes. */
export interface ContributionArgs {
  /**
   * `'absolute'`: how large the unit's contributions are. `'variance'`: how much they vary from pattern to
   * pattern, as Sanger's principal components do; a unit that always says the same contributes nothing then.
   * Default `'absolute'`.
   */
  readonly measure?: 'absolute' | 'variance';
}

/** Sums over the epoch's rows. */
type Sums = {
  readonly rows: number;
  /** Shape [units]: the mean in the first batch, so that large means cost no digits. 0 for `'absolute'`. */
  readonly shift: tf.Tensor;
  /** Shape [units]: of the absolute activations, or of those beyond `shift`. */
  readonly sum: tf.Tensor;
  /** Shape [units]: of the squares of those beyond `shift`. 0 for `'absolute'`. */
  readonly squares: tf.Tensor;
};

/**
 * Lets those units go first that put the least into what reads them.
 *
 * The contribution of unit j to consumer k at pattern p is the product h_pj w_jk of its activation and its
 * outgoing weight. Over all patterns and consumers,
 *
 *     C_j = mean_p sum_k |h_pj w_jk|  =  mean_p |h_pj|  sum_k |w_jk|                  'absolute'
 *     C_j = sum_k var_p(h_pj w_jk)    =  var_p(h_pj)    sum_k w_jk^2                  'variance'
 *
 * Sanger looks at the contributions' principal components and names no one number: the first is the size that
 * Gedeon & Harris go by, the second the unit's share in the variance that those components divide.
 *
 * Mean and variance are over the patterns of one epoch, or of the data that a plan is made by, and where a unit
 * has several positions (a channel's pixels) over these too. The weights are those of the moment of judging.
 *
 * Papers: D. Sanger, "Contribution analysis: a technique for assigning responsibilities to hidden units in
 * connectionist networks", Connection Science 1, 1989; T. D. Gedeon, D. Harris, "Network reduction
 * techniques", 1991.
 *
 * @throws if `measure` is neither of the two; when it judges, if no pattern has been seen since the epoch began.
 */
export const contribution = ({ measure = 'absolute' }: ContributionArgs = {}): ScorePruner<Sums> => {
  if (measure !== 'absolute' && measure !== 'variance') {
    throw new Error(`[pruner-contribution] measure must be 'absolute' or 'variance', got '${measure}'`);
  }
  const absolute = measure === 'absolute';
  return {
    name: 'contribution',
    needs: ['activations'],
    pools: true,
    init: empty,
    onEpochBegin: ({ bias }) => empty(bias.shape[0]),
    onBatchEnd: ({ activations }, sums) =>
      absolute ? addAbsolute(sums, activations) : addVarying(sums, activations),
    score({ outgoing }, { rows, sum, squares }) {
      if (rows === 0) throw new Error('no pattern has been seen since the epoch began');
      const mean = tf.div(sum, rows);
      if (absolute) return tf.mul(mean, tf.sum(tf.abs(outgoing), 1));
      const variance = tf.maximum(tf.sub(tf.div(squares, rows), tf.square(mean)), 0);
      return tf.mul(variance, tf.sum(tf.square(outgoing), 1));
    },
  };
};

const empty = (units: number): Sums => ({
  rows: 0,
  shift: tf.zeros([units]),
  sum: tf.zeros([units]),
  squares: tf.zeros([units]),
});

const addAbsolute = (sums: Sums, activations: tf.Tensor2D): Sums => ({
  ...sums,
  rows: sums.rows + activations.shape[0],
  sum: tf.add(sums.sum, tf.sum(tf.abs(activations), 0)),
});

function addVarying({ rows, shift: earlier, sum, squares }: Sums, activations: tf.Tensor2D): Sums {
  const shift = rows === 0 ? tf.mean(activations, 0) : earlier;
  const beyond = tf.sub(activations, shift);
  return {
    rows: rows + activations.shape[0],
    shift,
    sum: tf.add(sum, tf.sum(beyond, 0)),
    squares: tf.add(squares, tf.sum(tf.square(beyond), 0)),
  };
}
