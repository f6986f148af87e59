import * as tf from '@tensorflow/tfjs-core';

/** What one call of a layer put out, and the error that came back to it. */
export interface Capture {
  readonly value: tf.Tensor;
  error?: tf.Tensor;
}

/** All that was captured of one batch at a group's sites, site by site. */
export type BatchCaptures = readonly (readonly Capture[])[];

/** How many numbers wait at most: many batches of a small network, and hardly one of large maps. */
const MOST_NUMBERS = 2 ** 17;

/** How many patterns were captured; where a layer sees each of them several times, they are counted once. */
export function patternsOf(batch: BatchCaptures): number {
  const counts = batch.flat().map(({ value }) => value.shape[0]!);
  return counts.length === 0 ? 0 : Math.min(...counts);
}

export function disposeCaptures(captures: readonly Capture[]): void {
  for (const { value, error } of captures) tf.dispose(error ? [value, error] : [value]);
}

/** Batches that wait to be shown as one, with an entry for each group. They are all of one size. */
export class Pool {
  #batches: (readonly BatchCaptures[])[] = [];
  #numbers = 0;

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  get isFull(): boolean {
    return this.#numbers >= MOST_NUMBERS;
  }

  /** Whether a batch has as many patterns as those that wait. */
  fits(batch: readonly BatchCaptures[]): boolean {
    const [first] = this.#batches;
    return !first || first.every((captures, group) => patternsOf(captures) === patternsOf(batch[group]!));
  }

  /** Takes the captures over. */
  add(batch: readonly BatchCaptures[]): void {
    this.#batches.push(batch);
    for (const { value, error } of batch.flat(2)) this.#numbers += value.size + (error?.size ?? 0);
  }

  /** A group's batches. */
  of(group: number): BatchCaptures[] {
    return this.#batches.map((batch) => batch[group]!);
  }

  clear(): void {
    for (const batch of this.#batches) disposeCaptures(batch.flat(2));
    this.#batches = [];
    this.#numbers = 0;
  }
}
