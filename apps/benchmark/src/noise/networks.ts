import { join } from 'node:path';
import { loadDataset, take, toTensors } from '@espalier/datasets';
import { loadModel, saveModel } from '@espalier/engine';
import { lenet, mlp } from '@espalier/models';
import type { Noise } from '@espalier/noise';
import { cosineRate, type Examples, train } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { keyOf } from '../cache.ts';
import { loadLetters } from '../singh-2018/letters.ts';
import { DEEP, HIDDEN } from '../singh-2018/paper.ts';
import type { Job } from './jobs.ts';
import { type Net, type Recipe, recipes } from './settings.ts';

/** A dataset as tensors. */
export interface Data {
  readonly train: Examples;
  readonly validation: Examples;
  readonly test: Examples;
  readonly classes: readonly string[];
  /** Where it came from. */
  readonly name: string;
  dispose(): void;
}

/** Rows of the quick form. */
const FEW = { train: 4000, test: 1000 };
const QUICK_EPOCHS = 3;

export const loadData = (net: Net, quick: boolean): Promise<Data> =>
  net === 'letters' ? loadLetters(quick) : loadImages(quick);

async function loadImages(quick: boolean): Promise<Data> {
  const data = await loadDataset('mnist', { normalize: 'standard', fallback: 'glyphs' });
  const few = (rows: number, least: number): number => (quick ? least : rows);
  const parts = {
    train: toTensors(data, take(data.train, few(data.train.rows, FEW.train))),
    validation: toTensors(data, take(data.validation, few(data.validation.rows, FEW.test))),
    test: toTensors(data, take(data.test, few(data.test.rows, FEW.test))),
  };
  return {
    ...parts,
    classes: data.classes,
    name: `${data.name}${data.note ? ` (${data.note})` : ''}`,
    dispose: () => {
      for (const { x, y } of Object.values(parts)) tf.dispose([x, y]);
    },
  };
}

/** The whole net: trained, or as it is kept from the last time. */
export async function wholeNet({ net, seed, quick, cache }: Job, data: Data): Promise<LayersModel> {
  const { whole, ...recipe } = recipes[net];
  const key = keyOf([data.name, tf.getBackend(), quick, whole, recipe.momentum, recipe.batchSize]);
  const path = join(cache, `${net}-seed${seed}-${key}`);
  const kept = await loadModel(path).catch(() => undefined);
  if (kept) return compiled(kept, net, whole);
  const classes = data.classes.length;
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
  { train: { x, y } }: Pick<Data, 'train'>,
  { net, recipe: { epochs, rate, rows = Number.POSITIVE_INFINITY }, noise = [], seed, quick }: FitArgs,
): Promise<void> {
  const count = Math.min(rows, x.shape[0]!);
  const examples = tf.tidy(() => ({ x: tf.slice(x, 0, count), y: tf.slice(y, 0, count) }));
  const options = {
    epochs: quick ? Math.min(epochs, QUICK_EPOCHS) : epochs,
    batchSize: recipes[net].batchSize,
    learningRate: cosineRate(rate),
  };
  try {
    await train(compiled(model, net, { rate }), { train: examples }, { ...options, noise, seed });
  } finally {
    tf.dispose(examples);
  }
}

/** The model, to be trained from its first step on. */
export function compiled(model: LayersModel, net: Net, { rate }: Pick<Recipe, 'rate'>): LayersModel {
  const { momentum } = recipes[net];
  const optimizer = momentum > 0 ? tf.train.momentum(rate, momentum) : tf.train.sgd(rate);
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}
