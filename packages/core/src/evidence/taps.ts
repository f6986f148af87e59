import * as tf from '@tensorflow/tfjs-core';
import type { Layer } from '../graph/rule.ts';

/** What a tap hands on. The tensors are the receiver's to dispose. */
export interface Tap {
  readonly side: 'input' | 'output';
  /** Which of a call's inputs, if it is one. Default: the first. */
  readonly input?: number;
  /** In training alone, or in every forward pass. */
  readonly when: 'training' | 'always';
  /**
   * The value of one call. If the answer is a function, it is told dE/d(value) of the batch's loss once a
   * gradient is taken through the layer (outputs only).
   */
  value(tensor: tf.Tensor): ((error: tf.Tensor) => void) | undefined;
}

/** One gradient that the optimizer is about to apply. */
export interface NamedGradient {
  readonly name: string;
  readonly tensor: tf.Tensor;
}

type StepListener = (gradients: readonly NamedGradient[]) => void;

/** Who listens, and what ends the listening. */
interface Listened<Listener> {
  readonly all: Set<Listener>;
  restore(): void;
}

type Call = Layer['call'];
type Apply = tf.Optimizer['applyGradients'];

/** The taps on each layer; its `call` is wrapped while there are any. */
const tapsOf = new WeakMap<Layer, Listened<Tap>>();

/** Listens to a layer; the answer ends it. */
export function tap(layer: Layer, listener: Tap): () => void {
  let taps = tapsOf.get(layer);
  if (!taps) {
    const all = new Set<Tap>();
    taps = { all, restore: replace(layer, 'call', tapped(layer.call.bind(layer), all)) };
    tapsOf.set(layer, taps);
  }
  const { all, restore } = taps;
  all.add(listener);
  return () => {
    if (!all.delete(listener) || all.size > 0) return;
    tapsOf.delete(layer);
    restore();
  };
}

function tapped(call: Call, taps: ReadonlySet<Tap>): Call {
  return (inputs, kwargs) => {
    const training = (kwargs as { readonly training?: boolean } | undefined)?.training === true;
    const listening = [...taps].filter(({ when }) => training || when === 'always');
    for (const { side, input = 0, value } of listening) {
      if (side === 'input') value(tf.keep([inputs].flat()[input]!.clone()));
    }
    let outputs = call(inputs, kwargs);
    for (const { side, value } of listening) {
      if (side !== 'output') continue;
      const error = value(tf.keep(only(outputs).clone()));
      if (error) {
        const seen = only(outputs);
        const passed = passThrough(seen, error);
        // an RNN's cell puts out its state twice: as its output, and for its next call
        outputs = Array.isArray(outputs) ? outputs.map((one) => (one === seen ? passed : one)) : passed;
      }
    }
    return outputs;
  };
}

/** Puts a method of its own on one object; the answer brings back what was there: the class's, or another. */
function replace<Key extends string>(object: Record<Key, unknown>, key: Key, method: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(object, key);
  object[key] = method;
  return () => {
    if (own) Object.defineProperty(object, key, own);
    else Reflect.deleteProperty(object, key);
  };
}

const listenersOf = new WeakMap<tf.Optimizer, Listened<StepListener>>();

/** Listens to each step of an optimizer, before it is made; the answer ends it. */
export function tapOptimizer(optimizer: tf.Optimizer, listener: StepListener): () => void {
  let listeners = listenersOf.get(optimizer);
  if (!listeners) {
    const all = new Set<StepListener>();
    const apply: Apply = optimizer.applyGradients.bind(optimizer);
    const listened: Apply = (gradients) => {
      const named = Array.isArray(gradients)
        ? gradients
        : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }));
      for (const listen of all) listen(named);
      apply(gradients);
    };
    listeners = { all, restore: replace(optimizer, 'applyGradients', listened) };
    listenersOf.set(optimizer, listeners);
  }
  const { all, restore } = listeners;
  all.add(listener);
  return () => {
    if (!all.delete(listener) || all.size > 0) return;
    listenersOf.delete(optimizer);
    restore();
  };
}

const only = (tensors: tf.Tensor | tf.Tensor[]): tf.Tensor =>
  Array.isArray(tensors) ? tensors[0]! : tensors;

/** The same values; the gradient that comes back is told to `error`. */
function passThrough(tensor: tf.Tensor, error: (tensor: tf.Tensor) => void): tf.Tensor {
  const identity = tf.customGrad((x) => ({
    value: (x as tf.Tensor).clone(),
    gradFunc: (dy: tf.Tensor) => {
      error(tf.keep(dy.clone()));
      return dy;
    },
  }));
  return identity(tensor);
}
