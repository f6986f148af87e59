import type { BackwardPruner } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { addRows, infiniteFeatureSelection, noSums, type Sums } from './inf-fs.ts';

/** What {@link nisp} takes. */
export interface NispArgs {
  /**
   * What the units of the final response layer are worth, the last hidden ones. `inf-fs`: how much each tells that the others
   * don't, by their activations (infinite feature selection), as in the paper. `outputs`: what they feed, each output being
   * worth 1; needs no data. Or a number for each unit. Default `'inf-fs'`.
   */
  readonly last?: 'inf-fs' | 'outputs' | readonly number[];
  /** Of `inf-fs`: what a unit's spread counts against how little it is correlated, from 0 to 1. Default 0.5. */
  readonly alpha?: number;
}

/**
 * Lets those units go first that the final response layer makes least use of: its importance is propagated backwards
 * through the absolute weights. With W_k the weights from layer k - 1 to layer k,
 *
 *     s_(k-1) = |W_k|^T s_k
 *
 * which bounds how much the final responses, weighted by their importance s_n, change without a unit. A channel is worth
 * what all of its positions are worth together.
 *
 * - Where several layers read a unit (residuals, Concatenate) their shares add up; BatchNormalization counts with
 *   gamma / sqrt(variance + epsilon). Activations and pooling pass importance on as it is.
 * - A plan is one judgement: units that go with it still pass importance on. In the paper they don't: plan layer by layer,
 *   the last hidden one first (`scope`), or in several steps (a schedule).
 *
 * Paper: R. Yu, A. Li, C.-F. Chen, J.-H. Lai, V. I. Morariu, X. Han, M. Gao, C.-Y. Lin, L. S. Davis, "NISP: Pruning Networks
 * using Neuron Importance Score Propagation", CVPR 2018: the score of a layer by that of the next.
 *
 * @throws if an argument makes no sense; when it judges, if `last` has not one number for each unit.
 */
export const nisp = ({ last = 'inf-fs', alpha = 0.5 }: NispArgs = {}): BackwardPruner<Sums> => {
  checkArgs(last, alpha);
  const propagation = { name: 'nisp', pass };
  if (last === 'outputs') return propagation;
  if (last !== 'inf-fs') return { ...propagation, last: ({ group, bias }) => given(last, group, bias) };
  return {
    ...propagation,
    needs: ['activations'],
    pools: true,
    init: noSums,
    onEpochBegin: ({ bias }) => noSums(bias.shape[0]),
    onBatchEnd: ({ activations }, sums) => addRows(sums, activations),
    last: (_, sums) => infiniteFeatureSelection(sums, alpha),
  };
};

const pass = (outgoing: tf.Tensor2D, importance: tf.Tensor1D): tf.Tensor =>
  tf.dot(tf.abs(outgoing), importance);

function given(last: readonly number[], group: string, { shape: [units] }: tf.Tensor1D): tf.Tensor {
  if (last.length === units) return tf.tensor1d([...last]);
  throw new Error(
    `[nisp] last has ${last.length} numbers, but '${group}' has ${units} units: give one for each that is left`,
  );
}

function checkArgs(last: NonNullable<NispArgs['last']>, alpha: number): void {
  if (typeof last === 'string' ? last !== 'inf-fs' && last !== 'outputs' : !last.every((one) => one >= 0)) {
    throw new Error(
      `[pruner-nisp] last must be 'inf-fs', 'outputs', or a number of at least 0 for each unit, got ${JSON.stringify(last)}`,
    );
  }
  if (!(alpha >= 0 && alpha <= 1)) {
    throw new Error(`[pruner-nisp] alpha must be from 0 to 1, got ${alpha}`);
  }
}
