import { loadDataset, type Part, take, toTensors } from '@espalier/datasets';
import type { Examples } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';

/** The digits as tensors: what is trained on, what choices are made by, and what is only reported. */
export interface Digits {
  readonly train: Examples;
  readonly validation: Examples;
  readonly test: Examples;
  readonly inputShape: readonly number[];
  readonly classes: number;
  readonly name: string;
  /** With where they came from. */
  readonly title: string;
  dispose(): void;
}

/** MNIST, standardised: 55,000 images, 5,000 and 10,000. At most `few` of each, if given. */
export async function loadDigits(few: number = Number.POSITIVE_INFINITY): Promise<Digits> {
  const data = await loadDataset('mnist', { validation: 5000, normalize: 'standard', fallback: 'glyphs' });
  const some = (part: Part): Examples => toTensors(data, take(part, Math.min(few, part.rows)));
  const parts = { train: some(data.train), validation: some(data.validation), test: some(data.test) };
  return {
    ...parts,
    inputShape: data.inputShape,
    classes: data.classes.length,
    name: data.name,
    title: `${data.name}${data.note ? ` (${data.note})` : ''}`,
    dispose: () => {
      for (const part of Object.values(parts)) tf.dispose([part.x, part.y]);
    },
  };
}
