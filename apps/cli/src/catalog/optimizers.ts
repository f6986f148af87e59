import { type Optimizer, train } from '@tensorflow/tfjs-core';

/** An optimizer by name. */
export interface OptimizerEntry {
  /** The learning rate without `--learning-rate`. */
  readonly learningRate: number;
  make(learningRate: number): Optimizer;
}

export type OptimizerName = 'sgd' | 'momentum' | 'rmsprop' | 'adam';

export const optimizers: Readonly<Record<OptimizerName, OptimizerEntry>> = {
  sgd: { learningRate: 0.05, make: (rate) => train.sgd(rate) },
  momentum: { learningRate: 0.01, make: (rate) => train.momentum(rate, 0.9) },
  rmsprop: { learningRate: 0.001, make: (rate) => train.rmsprop(rate) },
  adam: { learningRate: 0.001, make: (rate) => train.adam(rate) },
};

export const optimizerNames: readonly OptimizerName[] = Object.keys(optimizers) as OptimizerName[];
