import type { CalibrationData } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Examples } from './evaluate.ts';

/** How many training examples units are judged on, and stand-ins fitted to, unless others are given. */
const EXAMPLES = 2000;

/** Works on the given calibration data, or on the first training examples. */
export async function withCalibration<T>(
  given: CalibrationData | undefined,
  examples: Examples,
  work: (data: CalibrationData) => Promise<T>,
): Promise<T> {
  if (given) return work(given);
  const count = Math.min(EXAMPLES, examples.x.shape[0]!);
  const [x, y] = tf.tidy(() => [tf.slice(examples.x, 0, count), tf.slice(examples.y, 0, count)]);
  try {
    return await work({ x, y });
  } finally {
    tf.dispose([x, y]);
  }
}
