import * as tf from '@tensorflow/tfjs-core';
// In Node the gradients come with tfjs-layers; tfjs-core alone registers none.
import '@tensorflow/tfjs-layers';
import { conv3DBackpropInputGradient } from './conv3d-backprop-input.ts';
import { dilatable, dilatedGradient } from './dilated.ts';
import { flatGradients } from './flat.ts';

const ours = new WeakSet<tf.GradConfig['gradFunc']>();

/**
 * Registers the gradients that tfjs-core lacks, on every engine; calling it again changes nothing. To load
 * tfjs-node registers tfjs-core's own once more: call it again after that.
 */
export function registerGradients(): void {
  for (const gradient of [conv3DBackpropInputGradient, ...flatGradients]) {
    if (!tf.getGradient(gradient.kernelName)) tf.registerGradient(gradient);
  }
  for (const [kernelName, kernels] of dilatable) {
    const shipped = tf.getGradient(kernelName);
    if (ours.has(shipped.gradFunc)) continue;
    const gradFunc = dilatedGradient(shipped.gradFunc, kernels);
    ours.add(gradFunc);
    tf.unregisterGradient(kernelName);
    tf.registerGradient({ ...shipped, gradFunc });
  }
}
