import { createHash } from 'node:crypto';
import type * as tf from '@tensorflow/tfjs-core';

/** A group of weights in a manifest, as `saveModel` writes it; every loader of TensorFlow.js passes over the checksum. */
export type CheckedGroup = tf.io.WeightsManifestConfig[number] & {
  /** Of what the weights are and of their bytes. Other writers have none. */
  readonly sha256?: string;
};

/** So that weights that changed places in the manifest, or in their files, are noticed: the sizes would not tell. */
export function checksumOf(
  specs: readonly tf.io.WeightsManifestEntry[],
  data: readonly Uint8Array[],
): string {
  const hash = createHash('sha256');
  const said = specs.map(({ name, shape, dtype, quantization }) => [
    ...[name, shape, dtype, quantization?.dtype, quantization?.min, quantization?.scale],
  ]);
  hash.update(JSON.stringify(said));
  for (const part of data) hash.update(part);
  return hash.digest('hex');
}
