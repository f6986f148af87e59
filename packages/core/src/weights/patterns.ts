import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { tap } from '../evidence/taps.ts';
import { type CalibrationData, runThrough } from '../plan/data.ts';
import { type LinearLayer, windowsOf } from './windows.ts';

/**
 * What a layer's kernel is multiplied by while the data run through the model: `most` rows at random (or all, if there
 * are no more), the same ones each time.
 *
 * @returns shape [patterns, inputs]; the caller's to dispose.
 */
export async function patternsOf(
  model: LayersModel,
  linear: LinearLayer,
  data: CalibrationData,
  most: number,
): Promise<tf.Tensor2D> {
  const seen: tf.Tensor2D[] = [];
  let untap = (): void => undefined;
  const value = (input: tf.Tensor): void => {
    const examples = [data.x].flat()[0]!.shape[0]!;
    const share = Math.ceil((most * input.shape[0]!) / (examples * linear.layer.calls));
    seen.push(tf.tidy(() => tf.keep(drawn(linear, input, share, seen.length + 1))));
    input.dispose();
  };
  try {
    await runThrough(model, data, {
      needs: new Set(),
      groups: [],
      epochBegin: () => undefined,
      attach() {
        untap = tap(linear.layer.layer, { side: 'input', input: 0, when: 'always', value });
      },
      batchEnd: () => undefined,
      detach: () => untap(),
    });
    return tf.tidy(() => {
      const all = tf.concat2d(seen, 0);
      const [rows] = all.shape;
      if (rows <= most) return all.clone();
      // shares are rounded up, so some go: of each batch as many
      return tf.gather(
        all,
        Int32Array.from({ length: most }, (_, i) => Math.floor((i * rows) / most)),
      );
    });
  } finally {
    tf.dispose(seen);
  }
}

/** Some of the rows that one batch has: each as likely as the others. */
function drawn(linear: LinearLayer, input: tf.Tensor, share: number, seed: number): tf.Tensor2D {
  const draw = (count: number, of: number, salt: number): tf.Tensor1D =>
    tf.randomUniform([count], 0, of, 'int32', 2 * seed + salt);
  const examples = input.shape[0]!;
  // the windows of a few examples are enough, where each has many
  const few = examples > share ? tf.gather(input, draw(share, examples, 0)) : input;
  const rows = windowsOf(linear, few);
  return rows.shape[0] > share ? tf.gather(rows, draw(share, rows.shape[0], 1)) : rows.clone();
}
