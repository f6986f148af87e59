import { loadDataset, type Part, take, toTensors } from '@espalier/datasets';
import type { Examples } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import { TUNING_ROWS, VALIDATION } from './paper.ts';

/** The digits as tensors. */
export interface Digits {
  readonly train: Examples;
  /** The first of the training images, or all. */
  readonly tuning: Examples;
  readonly validation: Examples;
  readonly test: Examples;
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** Where they came from. */
  readonly name: string;
  dispose(): void;
}

/** Rows of each part in the quick form. */
const FEW = 1000;

/** MNIST, so many images of it to train on. */
export async function loadDigits(rows: number, quick: boolean): Promise<Digits> {
  const data = await loadDataset('mnist', { validation: VALIDATION, normalize: 'unit', fallback: 'glyphs' });
  const most = (part: Part, wanted: number): Part => take(part, quick ? Math.min(FEW, wanted) : wanted);
  const parts = {
    train: toTensors(data, most(data.train, rows)),
    tuning: toTensors(data, most(data.train, Math.min(rows, TUNING_ROWS))),
    validation: toTensors(data, most(data.validation, data.validation.rows)),
    test: toTensors(data, most(data.test, data.test.rows)),
  };
  return {
    ...parts,
    inputShape: data.inputShape,
    classes: data.classes.length,
    name: `${data.name}${data.note ? ` (${data.note})` : ''}`,
    dispose: () => {
      for (const part of Object.values(parts)) tf.dispose([part.x, part.y]);
    },
  };
}
