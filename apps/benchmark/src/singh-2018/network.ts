import { mlp } from '@espalier/models';
import {
  cosineRate,
  disposeModel,
  evaluate,
  type RunEvent,
  type RunRecord,
  type TrainPruning,
  train,
} from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Data } from '../data.ts';
import type { Activation, Recipe } from './paper.ts';

/** Figures of one training, by metric. Accuracies are in percent. */
export type Figures = Readonly<Record<string, number>>;

/** What came of one training with one seed. */
export interface Outcome {
  readonly figures: Figures;
  readonly record: RunRecord;
}

export interface NetworkArgs {
  readonly hidden: readonly number[];
  readonly activation?: Activation;
  readonly l2?: number;
  readonly seed: number;
}

/** A network for the letters that is not trained yet. */
export function networkFor(
  { classes, train: { x } }: Data,
  args: NetworkArgs,
  recipe: Pick<Recipe, 'optimizer' | 'rate'>,
): LayersModel {
  return compiled(mlp({ ...args, inputs: x.shape[1]!, classes }), recipe);
}

/** The model, to be trained by a recipe from its first step on. */
export function compiled(
  model: LayersModel,
  { optimizer, rate }: Pick<Recipe, 'optimizer' | 'rate'>,
): LayersModel {
  model.compile({
    optimizer: tf.train[optimizer](rate),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  });
  return model;
}

export interface FitArgs extends Recipe {
  readonly seed: number;
  readonly pruning?: TrainPruning;
}

/** Trains the network; gives back the one that is there in the end, smaller if it was pruned. */
export async function fit(
  model: LayersModel,
  { train: examples, validation }: Data,
  { epochs, batchSize, rate, seed, pruning }: FitArgs,
): Promise<{ readonly model: LayersModel; readonly events: readonly RunEvent[] }> {
  const learningRate = cosineRate(rate);
  const options = { epochs, batchSize, learningRate, seed, ...(pruning && { pruning }) };
  const trained = await train(model, { train: examples, validation }, options);
  if (trained.model !== model) disposeModel(model);
  return trained;
}

/** Measures a trained network, for the first and only time on test data. It is disposed. */
export async function outcomeOf(
  model: LayersModel,
  letters: Data,
  events: readonly RunEvent[],
): Promise<Outcome> {
  const [validation, test] = [await evaluate(model, letters.validation), await evaluate(model, letters.test)];
  const figures = {
    accuracy: 100 * test.accuracy,
    validation: 100 * validation.accuracy,
    params: model.countParams(),
  };
  disposeModel(model);
  return { figures, record: [...events, { type: 'evaluate', stage: 'trained', split: 'test', ...test }] };
}
