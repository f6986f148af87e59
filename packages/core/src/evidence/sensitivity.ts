import * as tf from '@tensorflow/tfjs-core';
import type { Reader } from './readers.ts';
import { tap } from './taps.ts';
import { WeightedSums } from './weighted-sums.ts';

/** How much class probabilities are evened out: at 1, patterns that a model is sure of would say nothing. */
const TEMPERATURE = 2;
/** Below what float32 tells a probability from 0. */
const LEAST = 1e-12;

/** Which outputs, [examples, ..., classes], are probabilities of classes that exclude each other. */
export async function areProbabilities(outputs: readonly tf.Tensor[]): Promise<boolean[]> {
  const answers: boolean[] = [];
  for (const output of outputs) {
    const off = tf.tidy(() => {
      const sums = tf.max(tf.abs(tf.sub(tf.sum(output, -1), 1)));
      return tf.maximum(sums, tf.neg(tf.min(output)));
    });
    answers.push(output.shape.at(-1)! > 1 && (await off.data())[0]! < 1e-3);
    off.dispose();
  }
  return answers;
}

/**
 * A number whose gradient has squares that are, in the mean over the signs drawn, how much what the model says depends
 * on a number: for class probabilities p the diagonal of Fisher's information of
 *
 *     q = softmax(log(p) / T),    by the gradient of  sum over k of  sign_k 2 sqrt(q_k)
 *
 * and for other outputs y that of a Gaussian around them, by the gradient of sum over k of sign_k y_k. No targets are
 * needed, and one backward pass is (Hutchinson's estimator; Dangel et al., "BackPACK", 2020, section 2 and appendix C.2;
 * the evened-out q of Hinton et al., "Distilling the knowledge in a neural network", 2015, equation 1).
 */
export function drawn(outputs: readonly tf.Tensor[], probable: readonly boolean[], seed: number): tf.Scalar {
  const sums = outputs.map((output, i) => {
    const evened = () => tf.softmax(tf.div(tf.log(tf.maximum(output, LEAST)), TEMPERATURE));
    const said = probable[i] ? tf.mul(2, tf.sqrt(evened())) : output;
    const signs = tf.sign(tf.sub(tf.randomUniform(output.shape, 0, 1, 'float32', seed + i), 0.5));
    return tf.sum(tf.mul(said, signs));
  });
  return tf.addN(sums) as tf.Scalar;
}

/**
 * Adds one batch to the weighted sums of the readers.
 *
 * @param said what the model says, by a forward pass: a number to take gradients of
 */
export function weigh(readers: readonly Reader[], said: () => tf.Scalar): void {
  const heard = readers.map((): { inputs: tf.Tensor[]; calls: (readonly { error?: tf.Tensor }[])[] } => {
    return { inputs: [], calls: [] };
  });
  const untap = readers.flatMap(({ target, input, kernel }, i) => [
    tap(target, { side: 'input', input, when: 'always', value: (tensor) => heard[i]!.inputs.push(tensor) }),
    tap(target, {
      side: 'product',
      kernel: kernel.variable,
      when: 'always',
      captured: (captures) => heard[i]!.calls.push(captures),
    }),
  ]);
  try {
    const kernels = new Set(readers.map(({ kernel }) => kernel.variable.read()));
    tf.tidy(() => tf.engine().gradients(said, [...kernels], undefined, true));
    readers.forEach(({ sums }, i) => {
      heard[i]!.inputs.forEach((read, call) => {
        const errors = heard[i]!.calls[call]!.flatMap(({ error }) => error ?? []);
        if (errors.length > 0 && sums instanceof WeightedSums) sums.add(read, errors);
      });
    });
  } finally {
    for (const end of untap) end();
    for (const { inputs, calls } of heard) {
      tf.dispose([...inputs, ...calls.flat().flatMap(({ error }) => error ?? [])]);
    }
  }
}
