import { join } from 'node:path';
import { loadModel, saveModel } from '@espalier/engine';
import { lenet, mlp } from '@espalier/models';
import type { Noise } from '@espalier/noise';
import { cosineRate, train } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { keyOf } from '../cache.ts';
import { type Data, firstOf } from '../data.ts';
import { loadDigits } from '../digits.ts';
import { loadLetters } from '../singh-2018/letters.ts';
import { DEEP, HIDDEN } from '../singh-2018/paper.ts';
import type { Job } from './jobs.ts';
import { type Net, type Recipe, recipes } from './settings.ts';

/** Rows of the quick form. */
const FEW = { train: 4000, validation: 1000, test: 1000 };
const QUICK_EPOCHS = 3;

export const loadData = (net: Net, quick: boolean): Promise<Data> =>
  net === 'letters' ? loadLetters(quick) : loadDigits(quick ? FEW : undefined);

/** The whole net: trained, or as it is kept from the last time. */
export async function wholeNet({ net, seed, quick, cache }: Job, data: Data): Promise<LayersModel> {
  const { whole, ...recipe } = recipes[net];
  const key = keyOf([data.title, tf.getBackend(), quick, whole, recipe.momentum, recipe.batchSize]);
  const path = join(cache, `${net}-seed${seed}-${key}`);
  const kept = await loadModel(path).catch(() => undefined);
  if (kept) return compiled(kept, net, whole);
  const { classes } = data;
  const model =
    net === 'letters'
      ? mlp({ hidden: Object.values(HIDDEN), inputs: data.train.x.shape[1]!, classes, l2: DEEP.l2, seed })
      : lenet({ conv: [10, 20], dense: [50], classes, seed });
  await fit(compiled(model, net, whole), data, { net, recipe: whole, seed, quick });
  await saveModel(model, path);
  return model;
}

interface FitArgs extends Pick<Job, 'net' | 'seed' | 'quick'> {
  readonly recipe: Recipe;
  readonly noise?: readonly Noise[];
}

/** Trains in place, from the first step of a recipe on. */
export async function fit(
  model: LayersModel,
  { train: whole }: Pick<Data, 'train'>,
  { net, recipe: { epochs, rate, rows = Number.POSITIVE_INFINITY }, noise = [], seed, quick }: FitArgs,
): Promise<void> {
  const examples = firstOf(whole, rows);
  const options = {
    epochs: quick ? Math.min(epochs, QUICK_EPOCHS) : epochs,
    batchSize: recipes[net].batchSize,
    learningRate: cosineRate(rate),
  };
  try {
    await train(compiled(model, net, { rate }), { train: examples }, { ...options, noise, seed });
  } finally {
    tf.dispose([examples.x, examples.y]);
  }
}

/** The model, to be trained from its first step on. */
export function compiled(model: LayersModel, net: Net, { rate }: Pick<Recipe, 'rate'>): LayersModel {
  const { momentum } = recipes[net];
  const optimizer = momentum > 0 ? tf.train.momentum(rate, momentum) : tf.train.sgd(rate);
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}
