import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import { analyzeInternals } from '../graph/analyze.ts';
import { product } from '../graph/labels.ts';
import type { TracedLayer, TracedWeight } from '../graph/trace.ts';

/** How many of some weights are 0. */
export interface Zeros {
  readonly weights: number;
  readonly zeros: number;
}

/** How many of a model's weights are 0: of those that inputs are multiplied by, so biases and normalisations don't count. */
export interface Sparsity extends Zeros {
  readonly kernels: readonly (Zeros & {
    /** The layer's path. */
    readonly layer: string;
    /** `kernel`, `recurrent_kernel`, ... */
    readonly weight: string;
  })[];
}

/** A weight that inputs are multiplied by. */
export interface Kernel {
  readonly layer: TracedLayer;
  readonly weight: TracedWeight;
}

/** All of them, in the order of the layers. */
export const kernelsOf = (layers: readonly TracedLayer[]): Kernel[] =>
  layers.flatMap((layer) =>
    layer.weights.filter(({ uses }) => uses > 0).map((weight) => ({ layer, weight })),
  );

/** Counts the zeros of a model's kernels. */
export async function sparsityOf(model: LayersModel): Promise<Sparsity> {
  const kernels = kernelsOf(analyzeInternals(model).trace.layers);
  const counted = await Promise.all(
    kernels.map(async ({ layer, weight }) => ({
      layer: layer.path,
      weight: weight.name,
      weights: product(weight.shape),
      zeros: await zerosOf(weight),
    })),
  );
  const total = (of: keyof Zeros): number => counted.reduce((sum, kernel) => sum + kernel[of], 0);
  return { weights: total('weights'), zeros: total('zeros'), kernels: counted };
}

async function zerosOf({ variable }: TracedWeight): Promise<number> {
  const count = tf.tidy(() => tf.sum(tf.cast(tf.equal(variable.read(), 0), 'int32')));
  const [zeros] = await count.data();
  count.dispose();
  return zeros!;
}

/** The variables of which single weights were pruned: their zeros are held. */
const sparse = new WeakSet<LayerVariable>();

/** From now on what is 0 in a variable is held at 0 by all that holds masked units. */
export const markSparse = (variable: LayerVariable): void => {
  sparse.add(variable);
};

/** Whether the zeros of a variable are held. */
export const isSparse = (variable: LayerVariable): boolean => sparse.has(variable);

/**
 * Has the zeros of all kernels held from now on, as after `pruneWeights`: for a model that was pruned, saved and loaded.
 */
export function holdZeros(model: LayersModel): void {
  for (const { weight } of kernelsOf(analyzeInternals(model).trace.layers)) markSparse(weight.variable);
}
