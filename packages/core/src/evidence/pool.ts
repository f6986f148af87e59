import { disposeSteps, type Steps } from './steps.ts';
import type { Capture } from './taps.ts';

/** All that was captured of one batch at a group's sites, site by site. */
export type BatchCaptures = readonly (readonly Capture[])[];

/** A batch that waits. */
interface Waiting {
  readonly groups: readonly BatchCaptures[];
  readonly steps: Steps;
}

/** How many numbers wait at most: many batches of a small network, and hardly one of large maps. */
const MOST_NUMBERS = 2 ** 17;

/** How many patterns were captured; where a layer sees each of them several times, they are counted once. */
export function patternsOf(batch: BatchCaptures): number {
  let least = Number.POSITIVE_INFINITY;
  for (const captures of batch) for (const { shape } of captures) least = Math.min(least, shape[0]!);
  return least === Number.POSITIVE_INFINITY ? 0 : least;
}

export function disposeCaptures(captures: readonly Capture[]): void {
  for (const { value, error } of captures) {
    value?.dispose();
    error?.dispose();
  }
}

/** Batches that wait to be shown as one, with an entry for each group. They are all of one size. */
export class Pool {
  #batches: Waiting[] = [];
  #patterns: readonly number[] = [];
  #numbers = 0;

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  get isFull(): boolean {
    return this.#numbers >= MOST_NUMBERS;
  }

  /** Whether a batch has as many patterns as those that wait. */
  fits(groups: readonly BatchCaptures[]): boolean {
    return this.isEmpty || groups.every((captures, group) => patternsOf(captures) === this.#patterns[group]);
  }

  /** Takes the captures and the steps over. */
  add(groups: readonly BatchCaptures[], steps: Steps): void {
    if (this.isEmpty) this.#patterns = groups.map(patternsOf);
    this.#batches.push({ groups, steps });
    for (const group of groups) {
      for (const captures of group) {
        for (const { value, error } of captures) this.#numbers += (value?.size ?? 0) + (error?.size ?? 0);
      }
    }
    // what a step leaves shares the memory of what the next one finds
    for (const { before, gradient } of steps.values()) this.#numbers += before.size + (gradient?.size ?? 0);
  }

  /** A group's batches. */
  of(group: number): BatchCaptures[] {
    return this.#batches.map(({ groups }) => groups[group]!);
  }

  /** The optimizer's steps, one for each batch. */
  get steps(): Steps[] {
    return this.#batches.map(({ steps }) => steps);
  }

  clear(): void {
    for (const { groups, steps } of this.#batches) {
      for (const group of groups) for (const captures of group) disposeCaptures(captures);
      disposeSteps(steps);
    }
    this.#batches = [];
    this.#numbers = 0;
  }
}
