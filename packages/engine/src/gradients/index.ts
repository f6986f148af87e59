import * as tf from '@tensorflow/tfjs-core';
import { conv3DBackpropInputGradient } from './conv3d-backprop-input.ts';
import { flatGradients } from './flat.ts';

/** Registers the gradients that tfjs-core lacks, on every engine; calling it again changes nothing. */
export function registerGradients(): void {
  for (const gradient of [conv3DBackpropInputGradient, ...flatGradients]) {
    if (!tf.getGradient(gradient.kernelName)) tf.registerGradient(gradient);
  }
}
