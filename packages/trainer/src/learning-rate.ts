import type * as tf from '@tensorflow/tfjs-core';

/** The learning rate of an epoch; `done` is the share of the training's epochs before it, from 0 to below 1. */
export type LearningRate = (done: number) => number;

/**
 * From `start` at the first epoch down to almost 0 at the last one: `start` (1 + cos(pi done)) / 2. (Loshchilov & Hutter,
 * "SGDR", 2017, equation 5, without restarts.)
 *
 * @throws if `start` is not above 0.
 */
export const cosineRate = (start: number): LearningRate => {
  if (!(start > 0 && start < Number.POSITIVE_INFINITY))
    throw new Error(`[trainer] a learning rate must be above 0, got ${start}`);
  return (done) => (start * (1 + Math.cos(Math.PI * done))) / 2;
};

/**
 * Gives an optimizer the rate of its next steps; what else it keeps stays.
 *
 * @throws if the rate is no number of at least 0, or the optimizer has none.
 */
export function setLearningRate(optimizer: tf.Optimizer, rate: number): void {
  if (!(rate >= 0 && rate < Number.POSITIVE_INFINITY))
    throw new Error(`[trainer] a learning rate must be at least 0, got ${rate}`);
  // SGD and momentum keep it in a tensor, too
  if ('setLearningRate' in optimizer) (optimizer as tf.SGDOptimizer).setLearningRate(rate);
  else if ('learningRate' in optimizer) (optimizer as { learningRate: number }).learningRate = rate;
  else
    throw new Error(
      `[trainer] ${optimizer.getClassName()} has no learning rate that could follow a schedule`,
    );
}
