import { join } from 'node:path';
import { loadModel, saveModel } from '@espalier/engine';
import { lenet } from '@espalier/models';
import { cosineRate, disposeModel, evaluate, type TrainOptions, train } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { keyOf } from '../cache.ts';
import type { Digits } from '../digits.ts';
import type { Job } from './jobs.ts';
import { NETWORK, QUICK, TRAINING, WHOLE } from './settings.ts';

/** How long and how fast a network is trained. */
export interface Recipe {
  readonly epochs: number;
  /** The learning rate of the first epoch: it falls to 0 by half a cosine. */
  readonly rate: number;
  readonly batchSize: number;
}

/** By metric; accuracies are in percent. */
export type Figures = Readonly<Record<string, number>>;

/** Fewer epochs in the quick form. */
export const shortened = <R extends Recipe>(recipe: R, quick: boolean): R =>
  quick ? { ...recipe, epochs: Math.min(recipe.epochs, QUICK.epochs) } : recipe;

function compile(model: LayersModel, optimizer: tf.Optimizer): void {
  // of the training before, which a smaller model has carried over
  (model.optimizer as tf.Optimizer | undefined)?.dispose();
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
}

/** Trains a network; the answer is the one that is there in the end, smaller if it was pruned. */
export async function fit(
  model: LayersModel,
  digits: Digits,
  { epochs, rate, batchSize }: Recipe,
  options: Pick<TrainOptions, 'pruning' | 'distillation' | 'noise' | 'onEpochEnd'> & {
    readonly seed: number;
  },
): Promise<LayersModel> {
  compile(model, tf.train.adam(rate));
  const { train: examples, validation } = digits;
  const learningRate = cosineRate(rate);
  const args = { ...TRAINING, epochs, batchSize, learningRate, ...options };
  const trained = await train(model, { train: examples, validation }, args);
  if (trained.model !== model) disposeModel(model);
  return trained.model;
}

export const accuracyOf = async (model: LayersModel, { test }: Digits): Promise<number> =>
  100 * (await evaluate(model, test)).accuracy;

export const figuresOf = async (model: LayersModel, digits: Digits): Promise<Figures> => ({
  accuracy: await accuracyOf(model, digits),
  validation: 100 * (await evaluate(model, digits.validation)).accuracy,
  params: model.countParams(),
});

/** A network in the cache under a name and all that it depends on, else as it is made; then it is kept. */
export async function kept(
  { cache, quick, seed }: Pick<Job, 'cache' | 'quick' | 'seed'>,
  digits: Digits,
  { name, settings }: { readonly name: string; readonly settings: unknown },
  make: () => Promise<LayersModel>,
): Promise<LayersModel> {
  const key = keyOf([digits.name, tf.getBackend(), quick, NETWORK, TRAINING, settings]);
  const path = join(cache, `${name}-seed${seed}-${key}`);
  const found = await loadModel(path).catch(() => undefined);
  if (found) {
    // to be measured; `fit` compiles it for itself
    compile(found, tf.train.sgd(1));
    return found;
  }
  const model = await make();
  await saveModel(model, path);
  return model;
}

/** The network that all prunings with one seed begin with: the first of them trains it. */
export const wholeNet = (job: Job, digits: Digits): Promise<LayersModel> =>
  kept(job, digits, { name: 'whole', settings: WHOLE }, () => {
    const { inputShape, classes } = digits;
    const model = lenet({ ...NETWORK, inputShape, classes, seed: job.seed });
    return fit(model, digits, shortened(WHOLE, job.quick), { seed: job.seed });
  });
