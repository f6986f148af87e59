import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import type { Layer } from '../graph/rule.ts';

/** What one call of a layer put out, and the error that came back to it: as far as somebody wants them. */
export interface Capture {
  readonly shape: readonly number[];
  value?: tf.Tensor;
  error?: tf.Tensor;
}

interface Listening {
  /** In training alone, or in every forward pass. */
  readonly when: 'training' | 'always';
}

export interface InputTap extends Listening {
  readonly side: 'input';
  /** Which of a call's inputs. */
  readonly input: number;
  /** Told what one call reads. The tensor is the receiver's to dispose. */
  value(tensor: tf.Tensor): void;
}

export interface OutputTap extends Listening {
  readonly side: 'output';
  readonly values: boolean;
  /** dE/d(value) of the batch's loss, once a gradient is taken through the layer. */
  readonly errors: boolean;
  /** Told of each call. What is written into the capture is the receiver's to dispose. */
  captured(capture: Capture): void;
}

/** Listens to what comes back to a kernel's sums of products, before bias and activation. */
export interface ProductTap extends Listening {
  readonly side: 'product';
  readonly kernel: LayerVariable;
  /**
   * Told of all sums that one call makes; their errors are there once a gradient is taken through them, the receiver's to
   * dispose.
   */
  captured(captures: readonly Pick<Capture, 'error'>[]): void;
}

export type Tap = InputTap | OutputTap | ProductTap;

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
    for (const one of taps) {
      if (one.side !== 'input' || !hears(one, training)) continue;
      one.value(tf.keep((Array.isArray(inputs) ? inputs[one.input]! : inputs).clone()));
    }
    const before = tf.engine().state.activeTape?.length;
    const outputs = call(inputs, kwargs);
    for (const one of taps) {
      if (one.side === 'output' && hears(one, training)) tell(one, outputs, inputs, training);
      if (one.side === 'product' && hears(one, training)) tellProducts(one, before);
    }
    return outputs;
  };
}

const hears = ({ when }: Listening, training: boolean): boolean => training || when === 'always';

function tell(
  { values, errors, captured }: OutputTap,
  outputs: tf.Tensor | tf.Tensor[],
  inputs: tf.Tensor | tf.Tensor[],
  training: boolean,
): void {
  const output = only(outputs);
  const capture: Capture = { shape: output.shape };
  if (values) {
    // a training leaves to its tidy what a layer puts out; but not what it keeps, hands on or puts out twice
    const isFree = training && !output.kept && output !== only(inputs) && !Array.isArray(outputs);
    capture.value = tf.keep(isFree ? output : output.clone());
  }
  if (errors) hearError(output, capture);
  captured(capture);
}

/** @param before how long the tape was before the layer's call; there is none outside of gradients */
function tellProducts({ kernel, captured }: ProductTap, before: number | undefined): void {
  if (before === undefined) return;
  const forms = new Set([kernel.read().id]);
  const captures: Pick<Capture, 'error'>[] = [];
  for (const { inputs, outputs } of tf.engine().state.activeTape.slice(before)) {
    const read = Object.values(inputs);
    if (!read.some(({ id }) => forms.has(id))) continue;
    // by itself it is only brought into another shape, or taken to pieces
    if (read.length === 1) for (const { id } of outputs) forms.add(id);
    else {
      const capture: Pick<Capture, 'error'> = {};
      hearError(outputs[0]!, capture);
      captures.push(capture);
    }
  }
  captured(captures);
}

/**
 * Writes down the error that comes back to a tensor, as the tape passes it on to what made the tensor: no operation
 * of our own takes part in the training.
 */
function hearError(tensor: tf.Tensor, capture: Pick<Capture, 'error'>): void {
  const node = tf.engine().state.activeTape?.findLast(({ outputs }) => outputs.includes(tensor));
  const gradient = node?.gradient;
  if (!gradient) return;
  const place = node.outputs.indexOf(tensor);
  node.gradient = (errors) => {
    const error = errors[place];
    if (error) capture.error = tf.keep(twinOf(error));
    return gradient(errors);
  };
}

/** A clone without a kernel: the same data under a name of its own, for the tape disposes what it adds up. */
function twinOf(tensor: tf.Tensor): tf.Tensor {
  const twin = tf.engine().makeTensorFromTensorInfo(tensor);
  tf.backend().incRef(tensor.dataId);
  return twin;
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
