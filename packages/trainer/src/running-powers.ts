import * as tf from '@tensorflow/tfjs-core';

/** Numbers that an optimizer keeps beside its slots, by their fields: Adam's powers of its betas so far. */
export type RunningPowers = Readonly<Record<string, number>>;

const isNumber = (value: unknown): value is tf.Variable => value instanceof tf.Variable && value.size === 1;

/** Those of an optimizer now. tfjs doesn't save them: it works them out anew, and comes to another rounding. */
export async function runningPowersOf(optimizer: tf.Optimizer): Promise<RunningPowers> {
  const powers: Record<string, number> = {};
  for (const [field, value] of Object.entries(optimizer)) {
    if (isNumber(value)) powers[field] = (await value.data())[0]!;
  }
  return powers;
}

/** Lets an optimizer go on with them. */
export function restoreRunningPowers(optimizer: tf.Optimizer, powers: RunningPowers): void {
  for (const [field, value] of Object.entries(optimizer)) {
    const power = powers[field];
    if (isNumber(value) && power !== undefined) tf.tidy(() => value.assign(tf.fill(value.shape, power)));
  }
}
