import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';

/** What was seen since the epoch began. */
type Seen = {
  readonly rows: number;
  /** Shape [units]: how many activations were not zero. */
  readonly active: tf.Tensor;
};

/**
 * Lets those units go first that are zero on the most patterns ("average percentage of zeros").
 *
 *     APoZ_j = mean over patterns and positions of [h_j = 0],    s_j = 1 - APoZ_j
 *
 * with h_j the activation of unit j behind its ReLU. The score is the share of patterns (and of a channel's pixels) on which
 * the unit says something, from 0 to 1: with `budget: { threshold: 0.1 }` those go that are silent more than 90% of the time.
 *
 * Paper: H. Hu, R. Peng, Y.-W. Tai, C.-K. Tang, "Network trimming: a data-driven neuron pruning approach towards efficient deep
 * architectures", 2016, equation 1.
 *
 * @throws when it judges, if no pattern has been seen since the epoch began.
 */
export const apoz = (): ScorePruner<Seen> => ({
  name: 'apoz',
  needs: ['activations'],
  pools: true,
  comparable: true,
  init: (units) => ({ rows: 0, active: tf.zeros([units]) }),
  onEpochBegin: ({ bias }) => ({ rows: 0, active: tf.zerosLike(bias) }),
  onBatchEnd: ({ activations }, { rows, active }) => ({
    rows: rows + activations.shape[0],
    active: tf.add(active, tf.sum(tf.cast(tf.notEqual(activations, 0), 'float32'), 0)),
  }),
  score(_, { rows, active }) {
    if (rows === 0) throw new Error('no pattern has been seen since the epoch began');
    return tf.div(active, rows);
  },
});
