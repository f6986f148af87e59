import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, loadLayersModel } from '@tensorflow/tfjs-layers';

type Layer = layers.Layer;
/** What layers have no public way to. */
interface Prototype {
  addWeight(this: Layer, name: string, shape: number[], ...rest: unknown[]): unknown;
}
/** Set while TensorFlow.js builds what it loads, whose weights are set anew. */
interface Loading {
  readonly fastWeightInitDuringBuild: boolean;
}

// one after the other: all layers have one prototype
let queue: Promise<unknown> = Promise.resolve();

/**
 * Builds a saved model, unless its layers ask for more numbers than its weights have: a size that is wrong in
 * model.json would take all memory before TensorFlow.js compares the shapes.
 *
 * @throws Error as TensorFlow.js does, and with the layer that asks for too much.
 */
export function buildWithin(artifacts: tf.io.ModelArtifacts): Promise<LayersModel> {
  const work = (): Promise<LayersModel> => build(artifacts);
  const done = queue.then(work, work);
  queue = done.catch(() => undefined);
  return done;
}

async function build(artifacts: tf.io.ModelArtifacts): Promise<LayersModel> {
  const prototype = layers.Layer.prototype as unknown as Prototype;
  const { addWeight } = prototype;
  const most = (artifacts.weightSpecs ?? []).reduce(
    (sum, { shape }) => sum + tf.util.sizeFromShape(shape),
    0,
  );
  let asked = 0;
  prototype.addWeight = function (name, shape, ...rest) {
    // others may build models meanwhile
    if ((this as unknown as Loading).fastWeightInitDuringBuild) {
      asked += tf.util.sizeFromShape(shape);
      if (asked > most) {
        throw new Error(
          `layer ${this.name} has a ${name} of [${shape}], but the files of weights have ${most} numbers in all`,
        );
      }
    }
    return addWeight.call(this, name, shape, ...rest);
  };
  try {
    return await loadLayersModel({ load: async () => artifacts });
  } finally {
    prototype.addWeight = addWeight;
  }
}
