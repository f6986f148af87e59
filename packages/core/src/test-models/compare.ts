import * as tf from '@tensorflow/tfjs-core';
import { io } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';

/** What the model puts out, one array for each output. */
export function outputsOf(model: LayersModel, xs: readonly tf.Tensor[]): Float32Array[] {
  return tf.tidy(() => {
    const answer = model.predict(xs.length === 1 ? xs[0]! : [...xs]);
    return (Array.isArray(answer) ? answer : [answer]).map((tensor) => tensor.dataSync<'float32'>().slice());
  });
}

/** The largest difference over all outputs, relative to the largest value of each; Infinity if shapes differ. */
export function difference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  const each = a.map((left, i) => {
    const right = b[i]!;
    if (left.length !== right.length) return Number.POSITIVE_INFINITY;
    let [most, largest] = [0, 1e-3];
    for (let j = 0; j < left.length; j++) {
      const distance = Math.abs(left[j]! - right[j]!);
      // NaN too is a difference
      if (!(distance <= most)) most = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
      largest = Math.max(largest, Math.abs(left[j]!));
    }
    return most / largest;
  });
  return Math.max(...each);
}

/** The model as it is after saving and loading. */
export async function reloaded(model: LayersModel): Promise<LayersModel> {
  let saved: io.ModelArtifacts | undefined;
  await model.save(
    io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
  return loadLayersModel(io.fromMemory(saved!));
}

/** The names that stand in a saved model's files, for its layers and its weights. */
export const namesOf = (model: LayersModel): { layers: string[]; weights: string[] } => ({
  layers: model.layers.map(({ name }) => name),
  weights: model.weights.map(({ originalName }) => originalName),
});

export const dataOf = (model: LayersModel): number[][] =>
  tf.tidy(() => model.getWeights().map((weight) => Array.from(weight.dataSync())));
