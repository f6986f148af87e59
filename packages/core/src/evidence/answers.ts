import * as tf from '@tensorflow/tfjs-core';
import type { Pruner } from '../pruner.ts';

/** Calls a pruner's hook; says whose it was that threw. */
export function run<T>({ name }: Pick<Pruner, 'name'>, hook: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (message.startsWith(`[${name}]`)) throw error;
    throw new Error(`[${name}] ${hook} threw: ${message}`, { cause: error });
  }
}

/**
 * The numbers that a pruner's hook answers with, in a tidy of its own.
 *
 * @throws if it throws, or the answer is no tensor of this shape or not finite.
 */
export async function numbersOf(
  pruner: Pick<Pruner, 'name'>,
  hook: string,
  shape: readonly (number | 'any')[],
  make: () => tf.Tensor,
): Promise<Float32Array> {
  const { name } = pruner;
  const answer = tf.tidy(() => {
    const made: unknown = run(pruner, hook, make);
    if (!(made instanceof tf.Tensor))
      throw new Error(`[${name}] ${hook} must return a tensor, got ${typeof made}`);
    // a clone, so that a pruner may answer with its state itself
    return made.clone();
  });
  try {
    if (answer.rank !== shape.length || shape.some((n, a) => n !== 'any' && n !== answer.shape[a])) {
      throw new Error(
        `[${name}] ${hook} must return shape [${shape}], one for each unit, got [${answer.shape}]`,
      );
    }
    const numbers = Float32Array.from(await answer.data());
    const wrong = numbers.findIndex((n) => !Number.isFinite(n));
    if (wrong >= 0) {
      throw new Error(
        `[${name}] ${hook} gave ${numbers[wrong]} at position ${wrong}: every value must be finite. ` +
          'Has the training diverged, or is something divided by zero?',
      );
    }
    return numbers;
  } finally {
    answer.dispose();
  }
}
