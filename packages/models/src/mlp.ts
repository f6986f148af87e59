import * as tf from '@tensorflow/tfjs-layers';
import { checkWidths } from './check.ts';
import { type Activation, addHead, checkHead, initializersFrom } from './layers.ts';

/** What {@link mlp} takes. */
export interface MlpArgs {
  /** The number of features, or an image's shape, which is flattened first. Default 16. */
  readonly inputs?: number | readonly number[];
  /** The hidden layers. Default [60, 45, 30]. */
  readonly hidden?: readonly number[];
  /** Default 26. */
  readonly classes?: number;
  /** Of the hidden layers. Default 'relu'. */
  readonly activation?: Activation;
  /** After each hidden layer; unseeded. Default 0. */
  readonly dropout?: number;
  /**
   * Weight decay: this times the sum of the squared kernel weights is added to the loss, in which `fit` then includes it.
   * Default 0.
   */
  readonly l2?: number;
  /** Of the initial weights. Default 1. */
  readonly seed?: number;
}

/** A multilayer perceptron: dense layers `fc1`, `fc2`, ..., the last with a softmax. Not compiled. */
export const mlp = ({
  inputs = 16,
  hidden = [60, 45, 30],
  classes = 26,
  activation = 'relu',
  dropout = 0,
  l2 = 0,
  seed = 1,
}: MlpArgs = {}): tf.Sequential => {
  const inputShape = typeof inputs === 'number' ? [inputs] : [...inputs];
  const head = { dense: hidden, classes, activation, dropout, l2 };
  checkWidths('inputs', inputShape);
  checkHead('hidden', head);

  const model = tf.sequential();
  if (inputShape.length === 1) model.add(tf.layers.inputLayer({ name: 'input', inputShape }));
  else model.add(tf.layers.flatten({ name: 'flatten', inputShape }));
  addHead(model, head, initializersFrom(seed));
  return model;
};
