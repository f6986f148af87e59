import * as tf from '@tensorflow/tfjs-core';
import { checkWhole } from './errors.ts';

/** Some examples, row by row. */
export interface Part {
  /** The inputs of all rows, one row after the other. */
  readonly x: Float32Array;
  /** The class of each row, as an index into the dataset's `classes`. */
  readonly labels: Int32Array;
  readonly rows: number;
}

/** The three parts of a dataset. */
export interface Parts {
  readonly train: Part;
  readonly validation: Part;
  readonly test: Part;
}

/** A dataset in memory. */
export interface Dataset extends Parts {
  readonly name: string;
  readonly task: 'classification';
  /** The names of the classes, in the order of the labels. */
  readonly classes: readonly string[];
  /** The shape of one row. */
  readonly inputShape: readonly number[];
  /** Where the data came from, or for what it stands in. */
  readonly note?: string;
}

/** A part as tensors. */
export interface PartTensors {
  /** Shape [rows, ...inputShape]. */
  readonly x: tf.Tensor;
  /** Shape [rows, classes], one-hot. */
  readonly y: tf.Tensor2D;
}

/** The rows of `part` whose numbers are in `order`, in that order. */
export const pick = (part: Part, order: Int32Array): Part => {
  const width = part.rows === 0 ? 0 : part.x.length / part.rows;
  const x = new Float32Array(order.length * width);
  for (const [to, from] of order.entries())
    x.set(part.x.subarray(from * width, (from + 1) * width), to * width);
  return { x, labels: order.map((from) => part.labels[from]!), rows: order.length };
};

/** The rows from `start` up to `end`; shares the memory of `part`. */
export const slice = (part: Part, start: number, end: number): Part => {
  const width = part.rows === 0 ? 0 : part.x.length / part.rows;
  const labels = part.labels.subarray(start, end);
  return { x: part.x.subarray(start * width, end * width), labels, rows: labels.length };
};

/** The first `rows` rows of a part, or all of them where it has fewer; shares the memory of `part`. */
export const take = (part: Part, rows: number): Part => {
  checkWhole('rows', rows, 0);
  return slice(part, 0, Math.min(rows, part.rows));
};

/**
 * A part as tensors; the caller disposes them.
 *
 * ```ts
 * const { x, y } = toTensors(data, 'train');
 * await model.fit(x, y);
 * tf.dispose([x, y]);
 * ```
 */
export const toTensors = (dataset: Dataset, part: keyof Parts | Part): PartTensors => {
  const { x, labels, rows } = typeof part === 'string' ? dataset[part] : part;
  const classes = dataset.classes.length;
  const hot = new Float32Array(rows * classes);
  for (const [row, label] of labels.entries()) hot[row * classes + label] = 1;
  return { x: tf.tensor(x, [rows, ...dataset.inputShape]), y: tf.tensor2d(hot, [rows, classes]) };
};
