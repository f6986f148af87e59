import { addNoise, checkNoise, type Noise, rangeOf } from '@espalier/noise';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Examples } from './evaluate.ts';

/** Lends the examples with noise by a seed, for the time of `work`; without noises as they are. */
export async function withNoise<T>(
  examples: Examples,
  noises: readonly Noise[],
  seed: string,
  work: (examples: Examples) => Promise<T>,
): Promise<T> {
  if (noises.length === 0) return work(examples);
  const { shape, dtype } = examples.x;
  const inputShape = shape.slice(1);
  const values = await examples.x.data<'float32'>();
  const noisy = addNoise(values, { inputShape, range: rangeOf(values, inputShape), noises, seed });
  const x = tf.tensor(noisy, shape, dtype);
  try {
    return await work({ ...examples, x });
  } finally {
    x.dispose();
  }
}

/** @throws if a noise makes no sense, or can't happen to the inputs of the model. */
export function checkNoises(model: LayersModel, noises: readonly Noise[]): void {
  const inputShape = model.inputs[0]!.shape.slice(1);
  const isKnown = inputShape.every((size): size is number => size !== null);
  for (const noise of noises) checkNoise(noise, isKnown ? inputShape : undefined);
}
