import type { Tensor2D } from '@tensorflow/tfjs-core';

/** @throws if there are no rows: all units would have the same score, and go by their numbers. */
export function checkWeights({ shape: [rows] }: Tensor2D, group: string, what: string): void {
  if (rows > 0) return;
  throw new Error(
    `the units of group '${group}' have no ${what} to go by: leave the group out of the scope, or take another pruner`,
  );
}
