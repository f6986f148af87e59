import type { Optimizer } from '@tensorflow/tfjs-core';
import type { Command } from 'commander';
import { type OptimizerName, optimizerNames, optimizers } from '../catalog/optimizers.ts';
import { oneOf, positive, whole } from '../parse.ts';

export interface TrainingOptions {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly optimizer?: OptimizerName;
  readonly learningRate?: number;
  readonly seed?: number;
  readonly earlyStopping?: number;
}

export const addTrainingOptions = (
  command: Command,
  { epochs, least }: { readonly epochs: number; readonly least: number },
): Command =>
  command
    .optionsGroup('Training:')
    .option('--epochs <n>', `(default: ${epochs})`, whole(least))
    .option('--batch-size <n>', '(default: 64)', whole(1))
    .option('--optimizer <name>', `${optimizerNames.join(', ')} (default: adam)`, oneOf(optimizerNames))
    .option(
      '--learning-rate <rate>',
      `(default: ${optimizerNames.map((name) => `${name} ${optimizers[name].learningRate}`).join(', ')})`,
      positive,
    )
    .option('--early-stopping <epochs>', 'stop when the loss has not improved for so many', whole(1))
    .option('--seed <n>', 'first weights, order of the examples, random scores (default: 1)', whole(0))
    .optionsGroup('Options:');

/** The optimizer that the options mean. */
export const optimizerOf = ({ optimizer = 'adam', learningRate }: TrainingOptions): Optimizer => {
  const { make, learningRate: usual } = optimizers[optimizer];
  return make(learningRate ?? usual);
};
