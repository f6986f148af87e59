import type { Moments } from '../evidence/moments.ts';
import { solveRidge } from '../linear/ridge.ts';
import type { Compensation } from './compensation.ts';
import type { UnitFold } from './types.ts';

/** How `leastSquares` fits. */
export interface LeastSquaresArgs {
  /**
   * Added to each survivor's variance, in units of their mean: above the rounding of sums in float32, below what data can
   * tell. Default 1e-4.
   */
  readonly ridge?: number;
}

/** Of the variance between positions, what sums in float32 may be wrong by. */
const ROUNDING = 1e-5;
/** Of a mean, what float32 can't tell from a deviation of it. */
const SPACING = 1e-6;

/**
 * All survivors together take over from the removed units, so that what a consumer sums up stays as it was as nearly as
 * can be in the mean square over the data: input weights and bias are fitted anew. With C the covariances of the
 * consumer's inputs, m their means, s the survivors and r the removed,
 *
 *     h_r ~ B h_s + c,    B = C_rs (C_ss + r I)^-1,    c = m_r - B m_s
 *
 * which changes the survivors' weights by D = B^T W_r: the D that minimizes the consumer's mean squared error plus
 * r |D|^2, for all of its outputs at once (ridge regression, Hoerl & Kennard 1970, equation 2.1; refitting what reads pruned
 * units is He et al., "Channel Pruning for Accelerating Very Deep Neural Networks", 2017, equation 1). For a Dense
 * consumer of its own units it is never worse on its data than `foldMean`, where D = 0. A consumer without a bias is fitted without c, by second moments instead of
 * covariances.
 *
 * - A channel is guessed from the others at its own position, whatever the kernel's size; where the channels were flattened,
 *   by the same B everywhere and a c for each position. Both are restrictions of what a fit of all weights could do, so that
 *   n channels need no more than n x n numbers: prune features, not channels, to have each fitted by itself.
 * - Padding with zeros ('same') has no constant: at the border c is as wrong as `foldMean`'s means are.
 * - Each group is fitted by itself: of several that a consumer reads side by side (Concatenate), by its own survivors.
 * - What is fitted to are the inputs of the unpruned model. If the layers before are pruned in the same plan, they are
 *   fitted to stay as they were; to fit to what they became, prune layer by layer (`scope`).
 *
 * @throws if `ridge` is not above 0; in a plan, if the data holds what is not a number.
 */
export const leastSquares = ({ ridge = 1e-4 }: LeastSquaresArgs = {}): Compensation => {
  if (!(ridge > 0 && Number.isFinite(ridge))) {
    throw new Error(`[core] leastSquares needs a ridge above 0, e.g. 1e-4, got ${ridge}`);
  }
  return {
    name: 'least-squares',
    needs: 'covariances',
    fold({ proposals, survivors, moments, hasBias }) {
      const { units, positions, means } = moments!;
      const removed = proposals.map(({ unit }) => unit);
      const gram = hasBias ? aroundMeans(moments!) : aroundZero(moments!);
      const block = (columns: readonly number[]) =>
        Float64Array.from(
          { length: survivors.length * columns.length },
          (_, i) => gram[survivors[Math.floor(i / columns.length)]! * units + columns[i % columns.length]!]!,
        );
      const equations = { gram: block(survivors), right: block(removed), unknowns: survivors.length };
      const solution = solveRidge(equations, ridge);
      return removed.map((unit, r): UnitFold => {
        const factors = survivors.map((_, s) => solution[s * removed.length + r]!);
        const into = survivors.map((survivor, s) => [survivor, short(factors[s]!)] as const);
        const folded = { unit, into: into.filter(([, factor]) => factor !== 0) };
        if (!hasBias) return folded;
        const constants = Array.from({ length: positions }, (_, p) => {
          const mean = (one: number) => means[p * units + one]!;
          return mean(unit) - factors.reduce((sum, factor, s) => sum + factor * mean(survivors[s]!), 0);
        });
        return { ...folded, constants: constants.map(short) };
      });
    },
  };
};

/** As many digits as a weight holds: plans are half as long. */
const short = (value: number): number => Number(value.toPrecision(9));

/** The mean of each unit over its positions. */
function unitMeans({ units, positions, means }: Moments): Float64Array {
  const sums = new Float64Array(units);
  means.forEach((mean, entry) => {
    sums[entry % units]! += mean / positions;
  });
  return sums;
}

/** E[h_i h_j], [units, units]. */
function aroundZero(moments: Moments): Float64Array {
  const { units, covariances } = moments;
  const means = unitMeans(moments);
  return Float64Array.from(
    covariances!,
    (value, i) => value + means[Math.floor(i / units)]! * means[i % units]!,
  );
}

/** The covariances around the mean of each position, which a constant of its own takes over. */
function aroundMeans(moments: Moments): Float64Array {
  const { units, positions, means, covariances } = moments;
  const overall = unitMeans(moments);
  const gram = Float64Array.from(covariances!);
  for (let i = 0; i < units; i++) {
    for (let j = 0; j < units; j++) {
      let between = 0;
      for (let p = 0; p < positions; p++) {
        between += (means[p * units + i]! - overall[i]!) * (means[p * units + j]! - overall[j]!);
      }
      gram[i * units + j]! -= between / positions;
      // units that vary by their positions or not at all must not look as if they varied by less than 0
      if (i === j) {
        const lost = ROUNDING * (between / positions) + (SPACING * overall[i]!) ** 2;
        gram[i * units + i] = Math.max(0, gram[i * units + i]!) + lost;
      }
    }
  }
  return gram;
}
