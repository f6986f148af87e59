import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, models, sequential } from '@tensorflow/tfjs-layers';

const BATCH = 32;
const STEPS = 5;
/** No more steps are begun after that many milliseconds. */
const PATIENCE = 500;

const measured = new Map<string, number>();

/**
 * How long one training step of a copy of a model takes on the current backend, in milliseconds: the best of a
 * few, after one that warms up. Measured once per engine and shape of model.
 */
export async function measureStep(engine: string, model: LayersModel | undefined): Promise<number> {
  const key = JSON.stringify([
    engine,
    model?.layers.map((layer) => [layer.getClassName(), layer.outputShape]),
  ]);
  const known = measured.get(key);
  if (known !== undefined) return known;
  const copy = model ? await models.modelFromJSON(topologyOf(model)) : smallNetwork();
  const optimizer = tf.train.adam();
  const [x, y] = [copy.inputs, copy.outputs].map((sides) =>
    sides.map(({ shape }) => tf.ones([BATCH, ...shape.slice(1).map((n) => n ?? 8)])),
  ) as [tf.Tensor[], tf.Tensor[]];
  try {
    copy.compile({ optimizer, loss: 'meanSquaredError' });
    await copy.trainOnBatch(x, y);
    let best = Number.POSITIVE_INFINITY;
    for (let step = 0, spent = 0; step < STEPS && spent < PATIENCE; step++) {
      const begun = performance.now();
      await copy.trainOnBatch(x, y);
      const ms = performance.now() - begun;
      best = Math.min(best, ms);
      spent += ms;
    }
    measured.set(key, best);
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
