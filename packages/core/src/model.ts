import type { LayersModel } from '@tensorflow/tfjs-layers';

type LossFunctions = LayersModel['lossFunctions'];

/**
 * @throws if what was given can't be taken apart: a GraphModel, or no model at all.
 */
export function asLayersModel(model: LayersModel): LayersModel {
  const given: unknown = model;
  if (typeof given === 'object' && given !== null) {
    if ('layers' in given && 'getConfig' in given) return model;
    if ('executor' in given || 'modelUrl' in given) {
      throw new Error(
        '[core] this is a GraphModel: it is frozen for inference and has no layers to take units from. ' +
          'Convert the original Keras model with --output_format tfjs_layers_model and load it by tf.loadLayersModel',
      );
    }
    if (given instanceof Promise) throw new Error('[core] this is a promise of a model: await it first');
  }
  throw new Error('[core] expected a LayersModel (tf.sequential, tf.model or tf.loadLayersModel)');
}

/**
 * The loss functions that a model was compiled with, (targets, outputs) -> losses, one for each output;
 * undefined if it wasn't.
 */
export function lossFunctionsOf(model: LayersModel): LossFunctions | undefined {
  // a Sequential model keeps them in the model that it wraps
  const { model: wrapped } = model as { readonly model?: LayersModel };
  return wrapped?.lossFunctions ?? model.lossFunctions;
}
