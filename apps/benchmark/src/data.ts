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

/** The first of some examples, or all; in tensors of their own. */
export const firstOf = ({ x, y }: Examples, rows: number): Examples =>
  tf.tidy(() => {
    const count = Math.min(rows, x.shape[0]!);
    return { x: tf.slice(x, 0, count), y: tf.slice(y, 0, count) };
  });
