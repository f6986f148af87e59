import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '../graph/rule.ts';

/** What a tap hands on. The tensors are the receiver's to dispose. */
export interface Tap {
  readonly side: 'input' | 'output';
  /** In training alone, or in every forward pass. */
  readonly when: 'training' | 'always';
  /**
   * The value of one call. If the answer is a function, it is told dE/d(value) of the batch's loss once a
   * gradient is taken through the layer (outputs only).
   */
  value(tensor: tf.Tensor): ((error: tf.Tensor) => void) | undefined;
}

type Call = Layer['call'];

/** The taps on each layer; its `call` is wrapped while there are any. */
const tapsOf = new WeakMap<Layer, Set<Tap>>();

/** Listens to a layer; the answer ends it. */
export function tap(layer: Layer, listener: Tap): () => void {
  let taps = tapsOf.get(layer);
  if (!taps) {
    taps = new Set();
    tapsOf.set(layer, taps);
    wrap(layer, taps);
  }
  taps.add(listener);
  return () => {
    taps.delete(listener);
    if (taps.size > 0) return;
    tapsOf.delete(layer);
    unwrap(layer);
  };
}

function wrap(layer: Layer, taps: ReadonlySet<Tap>): void {
  const call: Call = layer.call.bind(layer);
  layer.call = (inputs, kwargs) => {
    const training = (kwargs as { readonly training?: boolean } | undefined)?.training === true;
    const listening = [...taps].filter(({ when }) => training || when === 'always');
    for (const { side, value } of listening) if (side === 'input') value(tf.keep(only(inputs).clone()));
    let outputs = call(inputs, kwargs);
    for (const { side, value } of listening) {
      if (side !== 'output') continue;
      const error = value(tf.keep(only(outputs).clone()));
      if (error) {
        const passed = passThrough(only(outputs), error);
        outputs = Array.isArray(outputs) ? [passed, ...outputs.slice(1)] : passed;
      }
    }
    return outputs;
  };
}

/** The class's own method shows again. */
function unwrap(layer: Layer): void {
  Reflect.deleteProperty(layer, 'call');
}

const only = (tensors: tf.Tensor | tf.Tensor[]): tf.Tensor =>
  Array.isArray(tensors) ? tensors[0]! : tensors;

/** The same values; the gradient that comes back is told to `error`. */
function passThrough(tensor: tf.Tensor, error: (tensor: tf.Tensor) => void): tf.Tensor {
  const identity = tf.customGrad((x) => ({
    value: (x as tf.Tensor).clone(),
    gradFunc: (dy: tf.Tensor) => {
      error(tf.keep(dy.clone()));
      return dy.clone();
    },
  }));
  return identity(tensor);
}
