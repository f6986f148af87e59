import type { Dataset } from '@espalier/datasets';
import type { Examples } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';

/** A dataset as tensors: what is trained on, what choices are made by, and what is only reported. */
export interface Data {
  readonly train: Examples;
  readonly validation: Examples;
  readonly test: Examples;
  readonly classes: number;
  /** With where it came from. */
  readonly title: string;
  dispose(): void;
}

/** The parts of a dataset, which are its own from now on. */
export const dataOf = (
  { name, note, classes }: Pick<Dataset, 'name' | 'note' | 'classes'>,
  parts: Pick<Data, 'train' | 'validation' | 'test'>,
): Data => ({
  ...parts,
  classes: classes.length,
  title: `${name}${note ? ` (${note})` : ''}`,
  dispose: () => {
    for (const { x, y } of [parts.train, parts.validation, parts.test]) tf.dispose([x, y]);
  },
});

/** The first of some examples, or all; in tensors of their own. */
export const firstOf = ({ x, y }: Examples, rows: number): Examples =>
  tf.tidy(() => {
    const count = Math.min(rows, x.shape[0]!);
    return { x: tf.slice(x, 0, count), y: tf.slice(y, 0, count) };
  });
