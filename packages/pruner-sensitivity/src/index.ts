import type { ScorePruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { type Gathered, weightSensitivity } from './weights.ts';

export { type StepAngleArgs, stepAngle } from './step-angle.ts';
export { type Gathered, weightSensitivity } from './weights.ts';

export interface SensitivityArgs {
  /** Which of a unit's weights speak for it: those that feed it, or those that read it. Default `'incoming'`. */
  readonly of?: 'incoming' | 'outgoing';
  /**
   * Of the absolute sensitivities of these weights. The mean doesn't grow with the number of weights, so that one
   * threshold suits layers of any width. Default `'sum'`.
   */
  readonly aggregate?: 'sum' | 'mean';
}

/** The threshold that the paper uses: `budget: { threshold: PAPER_THRESHOLD }`. */
export const PAPER_THRESHOLD = 0.001;

/**
 * Lets those units go first whose weights matter least to the loss, estimated from the updates that the training
 * makes anyway: no pass of its own.
 *
 * Of each weight w_ij from i into unit j, over all updates n since the watching began,
 *
 *     S_ij = -sum_n (dE/dw_ij)(n) dw_ij(n) * w_f / (w_f - w_i)
 *     S_j = sum_i |S_ij|   or   mean_i |S_ij|
 *
 * with E the batch's mean loss, w_i the weight before the first of these updates and w_f the present one: an
 * estimate of how much the loss would grow if the weight were 0. {@link weightSensitivity} tells it weight by
 * weight, and how w_f ~ w_i is guarded.
 *
 * The updates are the optimizer's own, momentum and all. The watching begins with the training and, in `prune`,
 * anew after each pruning, from the weights of that moment; epochs are not told apart. A frozen weight has
 * sensitivity 0.
 *
 * Papers: E. D. Karnin, "A simple procedure for pruning back-propagation trained neural networks", IEEE Trans.
 * Neural Networks 1(2), 1990; T. D. Gedeon, D. Harris, "Network reduction techniques", 1991;
 * Singh, "Sensitivity based Pruning hidden Neurons", 2018 (units, by the threshold 0.001).
 *
 * @throws if an option has no such value; when it judges, if no training was watched.
 */
export const sensitivity = ({
  of = 'incoming',
  aggregate = 'sum',
}: SensitivityArgs = {}): ScorePruner<Gathered | undefined> => {
  checkOption('of', of, ['incoming', 'outgoing']);
  checkOption('aggregate', aggregate, ['sum', 'mean']);
  const axis = of === 'incoming' ? 0 : 1;
  return {
    name: 'sensitivity',
    needs: ['updates'],
    pools: true,
    onEpochBegin: (weights, gathered) => gathered ?? { initial: weights[of], sum: tf.zerosLike(weights[of]) },
    onBatchEnd({ updates }, gathered) {
      const { gradient, before, after } = updates[of];
      const { initial, sum } = gathered!;
      return { initial, sum: tf.add(sum, tf.sum(tf.mul(gradient, tf.sub(after, before)), 0)) };
    },
    score(weights, gathered) {
      if (!gathered) throw new Error('no training was watched: there are no updates to judge by');
      const sizes = tf.abs(weightSensitivity(weights[of], gathered));
      return aggregate === 'sum' ? tf.sum(sizes, axis) : tf.mean(sizes, axis);
    },
  };
};

function checkOption(name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  throw new Error(`[pruner-sensitivity] ${name} must be '${allowed.join("' or '")}', got '${value}'`);
}
