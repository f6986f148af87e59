import { uniformInt } from 'pure-rand/distribution/uniformInt';
// The Mersenne twister spreads a small seed over its whole state; with pure-rand's other generators the
// first numbers of the seeds 1 and 2 resemble each other.
import { mersenne } from 'pure-rand/generator/mersenne';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { checkWhole } from './errors.ts';

export type Random = RandomGenerator;

export const randomFrom = (seed: number): Random => {
  checkWhole('seed', seed, 0);
  return mersenne(seed);
};

/** The numbers 0 to `count` - 1. */
export const inOrder = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);

/** The numbers 0 to `count` - 1 in a random order (Fisher-Yates). */
export const shuffled = (count: number, random: Random): Int32Array => {
  const order = inOrder(count);
  for (let i = count - 1; i > 0; i--) {
    const j = uniformInt(random, 0, i);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
};
