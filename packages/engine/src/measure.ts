import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, models, sequential } from '@tensorflow/tfjs-layers';

const BATCH = 32;
/** As many as it takes until compilers have done their part: the first ones favour the engine with less to compile. */
const STEPS = 60;
/** No more steps are begun after that many milliseconds. */
const PATIENCE = 700;

/** Two models for which this is the same train at the same speed. */
export function fingerprint(model: LayersModel | undefined): string {
  if (!model) return 'a small network';
  return JSON.stringify(
    model.layers.map((layer) => [
      layer.getClassName(),
      layer.outputShape,
      layer.weights.map(({ shape, dtype }) => [shape, dtype]),
    ]),
  );
}

/** How long one training step of a copy of a model takes on the current backend, in milliseconds: the best of a few. */
export async function measureStep(model: LayersModel | undefined): Promise<number> {
  const copy = model ? await models.modelFromJSON(topologyOf(model)) : smallNetwork();
  const optimizer = tf.train.adam();
  const [x, y] = [copy.inputs, copy.outputs].map((sides) =>
    sides.map(({ shape }) => tf.ones([BATCH, ...shape.slice(1).map((n) => n ?? 8)])),
  ) as [tf.Tensor[], tf.Tensor[]];
  try {
    copy.compile({ optimizer, loss: 'meanSquaredError' });
    let best = Number.POSITIVE_INFINITY;
    for (let step = 0, spent = 0; step < STEPS && spent < PATIENCE; step++) {
      const begun = performance.now();
      await copy.trainOnBatch(x, y);
      const ms = performance.now() - begun;
      best = Math.min(best, ms);
      spent += ms;
    }
    return best;
  } finally {
    tf.dispose([x, y]);
    copy.dispose();
    optimizer.dispose();
  }
}

function topologyOf(model: LayersModel): { modelTopology: never } {
  return { modelTopology: model.toJSON(null, false) as never };
}

/** What is measured where the model isn't known. */
function smallNetwork(): LayersModel {
  return sequential({
    layers: [
      layers.conv2d({ inputShape: [16, 16, 1], filters: 8, kernelSize: 3, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 3, activation: 'relu' }),
      layers.flatten(),
      layers.dense({ units: 32, activation: 'relu' }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
  });
}
