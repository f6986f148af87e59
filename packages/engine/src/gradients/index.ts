import * as tf from '@tensorflow/tfjs-core';
import { conv3DBackpropInputGradient } from './conv3d-backprop-input.ts';
import { dilatedConv2DGradient } from './dilated-conv2d.ts';
import { flatGradients } from './flat.ts';

let registered = false;

/** Registers the gradients that tfjs-core lacks, on every engine; calling it again changes nothing. */
export function registerGradients(): void {
  if (registered) return;
  registered = true;
  for (const gradient of [conv3DBackpropInputGradient, ...flatGradients]) {
    if (!tf.getGradient(gradient.kernelName)) tf.registerGradient(gradient);
  }
  const conv2D = tf.getGradient(tf.Conv2D);
  tf.unregisterGradient(tf.Conv2D);
  tf.registerGradient({ ...conv2D, gradFunc: dilatedConv2DGradient(conv2D.gradFunc) });
}
