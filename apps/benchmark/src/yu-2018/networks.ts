import { loadDataset, take, toTensors } from '@espalier/datasets';
import { lenet, mlp } from '@espalier/models';
import type { Examples } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { loadLetters } from '../singh-2018/letters.ts';
import { HIDDEN } from '../singh-2018/paper.ts';
import { type NetName, nets } from './settings.ts';

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

/** Rows of each part of MNIST in the quick form. */
const FEW = 2000;

export const loadData = (net: NetName, quick: boolean): Promise<Data> =>
  net === 'letters' ? loadLetters(quick) : loadDigits(quick);

/** 55,000 to train on, 5,000 for validation, 10,000 for testing. */
async function loadDigits(quick: boolean): Promise<Data> {
  const data = await loadDataset('mnist', { fallback: 'glyphs' });
  const parts = {
    train: toTensors(data, quick ? take(data.train, FEW) : data.train),
    validation: toTensors(data, quick ? take(data.validation, FEW) : data.validation),
    test: toTensors(data, quick ? take(data.test, FEW) : data.test),
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

/** How wide the hidden layers are, from the front. */
export const widths: Readonly<Record<NetName, readonly number[]>> = {
  mnist: [10, 20, 50],
  letters: Object.values(HIDDEN),
};

/** A network that is not trained yet; with hidden layers this wide. */
export function networkFor(
  net: NetName,
  { classes, train: { x } }: Data,
  seed: number,
  units: readonly number[] = widths[net],
): LayersModel {
  const model =
    net === 'letters'
      ? mlp({ hidden: units, inputs: x.shape[1]!, classes: classes.length, seed })
      : lenet({ conv: units.slice(0, 2), dense: units.slice(2), classes: classes.length, seed });
  return compiled(model, net);
}

/** The model, to be trained from its first step on. */
export function compiled(model: LayersModel, net: NetName): LayersModel {
  model.compile({
    optimizer: tf.train.adam(nets[net].rate),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  });
  return model;
}
