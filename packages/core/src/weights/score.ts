import * as tf from '@tensorflow/tfjs-core';
import type { WeightValues } from '../surgery/weights.ts';
import type { Kernel } from './sparsity.ts';
import type { WeightScorer } from './weight-pruner.ts';

/** How many of the weights go, and of which: of each kernel, or of all together. */
export interface WeightBudget {
  /** This share of the weights is 0 afterwards, those that were so before included. */
  readonly fraction: number;
  /** `local` (default): that share of each kernel. `global`: one budget for all, by the scores as they are. */
  readonly ranking?: 'local' | 'global';
}

/**
 * The kernels without the weights that score lowest.
 *
 * @throws if a score is not finite, or there isn't one for each weight.
 */
export async function withoutLowest(
  scorer: WeightScorer,
  kernels: readonly Kernel[],
  { fraction, ranking = 'local' }: WeightBudget,
  values: WeightValues,
): Promise<WeightValues> {
  const scored: Scored[] = [];
  for (const kernel of kernels) {
    const kept = Float32Array.from(values.get(kernel.weight)!);
    scored.push({ kernel, kept, scores: await scoresOf(scorer, kernel, kept) });
  }
  for (const pool of ranking === 'local' ? scored.map((one) => [one]) : [scored]) zeroLowest(pool, fraction);
  return new Map(scored.map(({ kernel, kept }) => [kernel.weight, kept]));
}

interface Scored {
  readonly kernel: Kernel;
  readonly scores: Float32Array;
  /** The weights that stay; 0 for those that go. */
  readonly kept: Float32Array;
}

async function scoresOf(
  scorer: WeightScorer,
  { layer, weight }: Kernel,
  values: Float32Array,
): Promise<Float32Array> {
  // a clone, so that a scorer may answer with the kernel itself
  const scores = tf.tidy(() => scorer.score(weight.variable.read()).clone());
  try {
    if (scores.shape.join() !== weight.shape.join()) {
      throw new Error(
        `[core] ${scorer.name} must answer with one score for each weight of ${layer.path}/${weight.name}, ` +
          `[${weight.shape}], got [${scores.shape}]`,
      );
    }
    const found = await scores.data();
    return Float32Array.from(found, (score, i) => {
      if (!Number.isFinite(score)) {
        throw new Error(
          `[core] ${scorer.name} gives a weight of ${layer.path}/${weight.name} the score ${score}: every score must be finite`,
        );
      }
      // what is gone stays gone, whatever its score
      return values[i] === 0 ? Number.NEGATIVE_INFINITY : score;
    });
  } finally {
    scores.dispose();
  }
}

/** Of equal scores those that come first go. */
function zeroLowest(pool: readonly Scored[], fraction: number): void {
  const all = new Float32Array(pool.reduce((total, { scores }) => total + scores.length, 0));
  let at = 0;
  for (const { scores } of pool) {
    all.set(scores, at);
    at += scores.length;
  }
  const count = Math.round(fraction * all.length);
  if (count === 0) return;
  all.sort();
  const highest = all[count - 1]!;
  // as many as go of those with this very score
  let ties = count - all.indexOf(highest);
  for (const { scores, kept } of pool) {
    scores.forEach((score, i) => {
      if (score < highest || (score === highest && ties-- > 0)) kept[i] = 0;
    });
  }
}
