import { type EngineName, useEngine } from '@espalier/engine';
import { type LayerCase, layerTable, upstreamFailures } from '@espalier/engine/testing';
import * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import '@tensorflow/tfjs-backend-wasm';

/** An engine, or wasm as TensorFlow.js ships it. */
export type Subject = EngineName | 'wasm-as-shipped';

/** What a worker needs to know. */
export interface Job {
  readonly subject: Subject;
  readonly quick: boolean;
}

/** What one layer does on one engine. */
export interface Agreement {
  /** The worst relative error of the gradients against central differences. */
  readonly differences: number;
  readonly output: Float32Array;
  /** Of every input and every weight. */
  readonly gradients: readonly Float32Array[];
}

/** One layer on one engine: what it does, or why it fails. */
export interface Trial {
  readonly name: string;
  /** Whether TensorFlow.js itself is known to refuse it, on every engine. */
  readonly upstream: boolean;
  readonly result: Agreement | string;
}

const BATCH = 3;
/** A power of two, so that adding and taking it away rounds least. */
const STEP = 1 / 512;

/** Runs a step of training of every layer kind on one engine. */
export async function measure({ subject, quick }: Job): Promise<Trial[]> {
  if (subject === 'wasm-as-shipped') await tf.setBackend('wasm');
  else await useEngine(subject);
  const samples = quick ? 4 : 120;
  const rows = [
    ...Object.entries(layerTable).map(([name, row]) => ({ name, row, upstream: false })),
    ...Object.entries(upstreamFailures).map(([name, { row }]) => ({ name, row, upstream: true })),
  ];
  return rows
    .filter(({ name }) => !quick || !name.includes(','))
    .map(({ name, row, upstream }) => ({ name, upstream, result: attempt(row, samples) }));
}

function attempt(row: LayerCase, samples: number): Trial['result'] {
  tf.engine().startScope();
  try {
    return tryLayer(row, samples);
  } catch (error) {
    return String(error instanceof Error ? error.message : error)
      .split('\n', 1)[0]!
      .trim();
  } finally {
    tf.engine().endScope();
    tf.disposeVariables();
  }
}

function tryLayer({ make, inputs, indices = false, shift = 0 }: LayerCase, samples: number): Agreement {
  const layer = make();
  const points = inputs.map((shape, i) => {
    const size = BATCH * tf.util.sizeFromShape([...shape]);
    const entries = spread(size, i + 1).map((v) => (indices ? Math.floor((v + 1) * 2.5) : v + shift));
    return tf.variable(tf.tensor(entries, [BATCH, ...shape]));
  });
  const run = (): tf.Tensor =>
    layer.apply(points.length === 1 ? points[0]! : points, { training: true }) as tf.Tensor;
  run(); // makes the weights
  setWeights(layer);
  const variables = [
    ...(indices ? [] : points),
    ...layer.trainableWeights.map((weight) => weight.read() as tf.Variable),
  ];
  const { shape } = run();
  // mostly positive: where the sum of the outputs is constant, as of a softmax, its gradient would be none
  const factors = spread(tf.util.sizeFromShape(shape), 11).map((v) => v + 0.5);
  const loss = (): tf.Scalar => tf.sum(tf.mul(run(), tf.tensor(factors, shape)));
  const { grads } = tf.variableGrads(loss, variables);
  const gradients = variables.map(({ name }) => grads[name]!.dataSync() as Float32Array);
  const output = run().dataSync() as Float32Array;

  /** The loss with one entry of a variable moved, summed in double precision. */
  const lossAt = (variable: tf.Variable, entries: Float32Array): number =>
    tf.tidy(() => {
      variable.assign(tf.tensor(entries, variable.shape));
      return (run().dataSync() as Float32Array).reduce((sum: number, y, i) => sum + y * factors[i]!, 0);
    });
  const errors = variables.map((variable, v) => {
    const entries = variable.dataSync().slice() as Float32Array;
    const sampled = sampleOf(entries.length, samples);
    const slopes = sampled.map((at) => {
      const moved = (by: number): Float32Array => entries.map((entry, i) => (i === at ? entry + by : entry));
      return (lossAt(variable, moved(STEP)) - lossAt(variable, moved(-STEP))) / (2 * STEP);
    });
    tf.tidy(() => variable.assign(tf.tensor(entries, variable.shape)));
    return relativeError(
      sampled.map((at) => gradients[v]![at]!),
      slopes,
    );
  });
  return { differences: Math.max(...errors), output, gradients };
}

/** From -1 to 1, each apart from every other, in an order that looks random: no two tie for a maximum. */
function spread(size: number, seed: number): Float32Array {
  // 7919 is a prime that divides no size used here: every rank comes once
  return Float32Array.from(
    { length: size },
    (_, i) => (2 * ((i * 7919 + seed * 104729) % size) + 1.13) / size - 1,
  );
}

function setWeights(layer: InstanceType<typeof layers.Layer>): void {
  const weights = layer.getWeights().map((weight, i) => {
    const positive = layer.weights[i]!.name.includes('moving_variance');
    return tf.tensor(
      spread(weight.size, i + 3).map((v) => (positive ? 1.5 + v / 2 : 0.8 * v)),
      weight.shape,
    );
  });
  layer.setWeights(weights);
}

const sampleOf = (length: number, samples: number): number[] =>
  Array.from({ length: Math.min(samples, length) }, (_, i) => Math.floor(i * Math.max(1, length / samples)));

/** The largest difference, by the largest expected value; NaN where a value is none. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const scale = Math.max(1e-2, ...Array.from(expected, Math.abs));
  return Array.from(actual, (value, i) => Math.abs(value - expected[i]!) / scale).reduce(
    (worst, error) => (Number.isNaN(worst) || error <= worst ? worst : error),
    0,
  );
}
