import { lossFunctionsOf } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { EvaluateEvent } from './record.ts';

/** Examples with one-hot targets. They are not disposed. */
export interface Examples {
  /** [examples, ...] */
  readonly x: tf.Tensor;
  /** [examples, classes], one-hot. */
  readonly y: tf.Tensor;
}

/** How well a classifier does: mean loss, accuracy (0 to 1), counts by actual and predicted class. */
export type Evaluation = Pick<EvaluateEvent, 'loss' | 'accuracy' | 'confusion'>;

/**
 * The mean loss by the model's own loss function, the accuracy and the confusion matrix of a classifier.
 *
 * @throws if the model is not compiled, there are no examples, or the loss is not a number.
 */
export async function evaluate(
  model: LayersModel,
  { x, y }: Examples,
  { batchSize = 500 }: { readonly batchSize?: number } = {},
): Promise<Evaluation> {
  const lossFunction = lossFunctionsOf(model)?.[0];
  if (!lossFunction) throw new Error('[trainer] evaluate needs a compiled model: call model.compile first');
  const examples = x.shape[0]!;
  if (examples === 0) throw new Error('[trainer] there are no examples to evaluate on');
  const classes = y.shape[1]!;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let [loss, right] = [0, 0];
  for (let start = 0; start < examples; start += batchSize) {
    const count = Math.min(batchSize, examples - start);
    const [sum, actual, predicted] = tf.tidy(() => {
      const target = tf.slice(y, start, count);
      const output = model.predictOnBatch(tf.slice(x, start, count)) as tf.Tensor;
      const sum = tf.mul(tf.mean(lossFunction(target, output)), count);
      return [sum, tf.argMax(target, 1), tf.argMax(output, 1)];
    });
    loss += (await sum.data())[0]!;
    const [is, said] = [await actual.data(), await predicted.data()];
    tf.dispose([sum, actual, predicted]);
    for (let i = 0; i < count; i++) {
      confusion[is[i]!]![said[i]!]!++;
      if (is[i] === said[i]) right++;
    }
  }
  if (!Number.isFinite(loss)) {
    throw new Error('[trainer] the loss is not a number: the weights or the examples hold NaN or infinity');
  }
  return { loss: loss / examples, accuracy: right / examples, confusion };
}

/**
 * The median time of one forward pass of `x`, in milliseconds; the first passes, which warm up, don't count.
 */
export async function measureLatency(
  model: LayersModel,
  x: tf.Tensor,
  { repeats = 21 }: { readonly repeats?: number } = {},
): Promise<NonNullable<EvaluateEvent['latency']>> {
  const times: number[] = [];
  for (let i = 0; i < repeats + WARM_UP; i++) times.push(await passTime(model, x));
  return { milliseconds: median(times.slice(WARM_UP)), batch: x.shape[0]! };
}

/**
 * How long a forward pass of one model takes beside that of another: both take turns, and the quickest of each counts.
 * What else the machine does only ever adds to a pass; where that is half of the time, medians compare luck.
 */
export async function latencyRatio(
  one: LayersModel,
  other: LayersModel,
  x: tf.Tensor,
  repeats: number,
): Promise<number> {
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < repeats + WARM_UP; i++) {
    times[0].push(await passTime(one, x));
    times[1].push(await passTime(other, x));
  }
  return Math.min(...times[0].slice(WARM_UP)) / Math.min(...times[1].slice(WARM_UP));
}

/** Passes that don't count. */
const WARM_UP = 5;

async function passTime(model: LayersModel, x: tf.Tensor): Promise<number> {
  const start = performance.now();
  const output = model.predictOnBatch(x) as tf.Tensor;
  await output.data();
  const time = performance.now() - start;
  output.dispose();
  return time;
}

/** The upper one of an even number. */
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
