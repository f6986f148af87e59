import { lenet, mlp } from '@espalier/models';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Data } from '../data.ts';
import { loadDigits } from '../digits.ts';
import { loadLetters } from '../singh-2018/letters.ts';
import { DECAY, type NetName, nets } from './settings.ts';

/** Rows of each part of MNIST in the quick form. */
const FEW = 2000;

export const loadData = (net: NetName, quick: boolean): Promise<Data> =>
  net === 'letters' ? loadLetters(quick) : loadDigits(quick ? FEW : undefined, 'unit');

/** How wide the hidden layers are, from the front. */
export const widths: Readonly<Record<NetName, readonly number[]>> = {
  mnist: [10, 20, 50],
  letters: [120, 90, 60],
};

/** A network that is not trained yet; with hidden layers this wide. */
export function networkFor(
  net: NetName,
  { classes, train: { x } }: Data,
  seed: number,
  units: readonly number[] = widths[net],
): LayersModel {
  const args = { classes, l2: DECAY, seed };
  const model =
    net === 'letters'
      ? mlp({ hidden: units, inputs: x.shape[1]!, ...args })
      : lenet({ conv: units.slice(0, 2), dense: units.slice(2), ...args });
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
