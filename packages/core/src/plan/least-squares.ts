import type { Moments } from '../evidence/moments.ts';
import { solveRidge } from '../linear/ridge.ts';
import type { Compensation, ReadUnits, WeightChange } from './compensation.ts';

/** How `leastSquares` fits. */
export interface LeastSquaresArgs {
  /**
   * Added to each survivor's variance, in units of their mean: above the rounding of sums in float32, below what data can
   * tell. Default 1e-4.
   */
  readonly ridge?: number;
  /**
   * Whether an error counts by how much what the model says depends on it, so that what is behind a closed ReLU, or of
   * no class in question, gives way. It runs the data backwards, too, and keeps a matrix for each output. Default false.
   */
  readonly weighted?: boolean;
}

/** Of the variance between positions, what sums in float32 may be wrong by. */
const ROUNDING = 1e-5;
/** Of a mean, what float32 can't tell from a deviation of it. */
const SPACING = 1e-6;

/**
 * All survivors together take over from the removed units, so that what a consumer sums up stays as it was as nearly as
 * can be in the mean square over the data: input weights and bias are fitted anew. With C the covariances of the
 * consumer's inputs, m their means, W its weights, s the survivors and r the removed of all groups that it reads side by
 * side, the survivors' weights change by
 *
 *     D = (C_ss + a I)^-1 C_sr W_r,    and the bias by  m_r W_r - m_s D
 *
 * the D that minimizes the consumer's mean squared error plus a |D|^2 (ridge regression, Hoerl & Kennard 1970, equation
 * 2.1; refitting what reads pruned units is He et al., "Channel Pruning for Accelerating Very Deep Neural Networks", 2017,
 * equation 1). For a Dense consumer of its own units it is never worse on its data than `foldMean`, where D = 0. The moving
 * mean of a BatchNormalization that alone reads a consumer without a bias takes what the bias would; where there is neither,
 * the consumer is fitted by second moments instead of covariances. A layer that is called several times is fitted once, over
 * all its calls.
 *
 * `weighted`: C and m are of patterns weighted by w, for each output j by itself,
 *
 *     w_pj = 5/6 F_pj / mean_p F_pj + 1/6,    F_pj = (dS_p / dz_pj)^2
 *
 * with z the consumer's sums and S drawn so that F is in the mean the diagonal of Fisher's information of what the model
 * says (for probabilities at temperature 2; `drawn` has the sources). That is the optimal brain surgeon's error (Hassibi &
 * Stork 1993, equation 1) block by block. Targets are not looked at: their errors vanish where a trained model is right.
 * Convolutions, and matrices too large for this, weigh whole patterns by the sum of F over outputs.
 *
 * - A channel is guessed from the others at its own position, whatever the kernel's size; where the channels were flattened,
 *   by the same factors everywhere and a constant for each position. Both are restrictions of what a fit of all weights
 *   could do, so that n channels need no more than n x n numbers: prune features, not channels, to have each fitted by
 *   itself. Depthwise and separable convolutions take over nothing.
 * - Padding with zeros ('same') has no constant: at the border it is as wrong as `foldMean`'s means are.
 * - Groups that a consumer reads side by side (Concatenate) are fitted together if their units have as many positions.
 * - What is fitted to are the inputs of the unpruned model. If the layers before are pruned in the same plan, they are
 *   fitted to stay as they were; to fit to what they became, prune layer by layer (`scope`).
 * - Where a training is watched, Dropout before a consumer counts as noise of the units, and less is taken over.
 *
 * @throws if `ridge` is not above 0; in a plan, if the data holds what is not a number.
 */
export const leastSquares = ({ ridge = 1e-4, weighted = false }: LeastSquaresArgs = {}): Compensation => {
  if (!(ridge > 0 && Number.isFinite(ridge))) {
    throw new Error(`[core] leastSquares needs a ridge above 0, e.g. 1e-4, got ${ridge}`);
  }
  return {
    name: weighted ? 'weighted-least-squares' : 'least-squares',
    needs: 'covariances',
    weighted,
    refit: (read) => refit(read, ridge),
  };
};

function refit(read: ReadUnits, ridge: number): WeightChange {
  const { removed, survivors, moments, outputs, hasBias } = read;
  const { units, positions } = moments[0]!;
  const width = positions * outputs.length;
  const lost = rowsOf(read.weights, removed, width);
  const weights = new Float64Array(survivors.length * width);
  // a reduction, for a call takes only so many arguments
  const bias = new Float64Array(outputs.reduce((most, output) => Math.max(most, output), -1) + 1);
  for (const [output, own] of moments.entries()) {
    const gram = hasBias ? aroundMeans(own) : aroundZero(own);
    const all = Array.from({ length: width }, (_, column) => column);
    const columns =
      moments.length === 1 ? all : all.filter((column) => outputs[column % outputs.length] === output);
    const right = product(block(gram, units, survivors, removed), lost, removed.length, width, columns);
    const equations = { gram: block(gram, units, survivors, survivors), right, unknowns: survivors.length };
    const solution = solveRidge(equations, ridge);
    columns.forEach((column, c) => {
      const meanOf = (unit: number) => own.means[Math.floor(column / outputs.length) * units + unit]!;
      let constant = 0;
      removed.forEach((unit, r) => {
        constant += meanOf(unit) * lost[r * width + column]!;
      });
      survivors.forEach((unit, s) => {
        const change = solution[s * columns.length + c]!;
        weights[s * width + column] = change;
        constant -= meanOf(unit) * change;
      });
      bias[outputs[column % outputs.length]!]! += constant;
    });
  }
  return hasBias ? { weights, bias } : { weights };
}

const rowsOf = (weights: Float64Array, units: readonly number[], width: number): Float64Array =>
  Float64Array.from({ length: units.length * width }, (_, i) => {
    return weights[units[Math.floor(i / width)]! * width + (i % width)]!;
  });

/** Some rows and columns of a square matrix. */
const block = (
  matrix: Float64Array,
  units: number,
  rows: readonly number[],
  columns: readonly number[],
): Float64Array => {
  const made = new Float64Array(rows.length * columns.length);
  let at = 0;
  for (const row of rows) for (const column of columns) made[at++] = matrix[row * units + column]!;
  return made;
};

/** `left`, [any, inner], times some columns of `right`, [inner, width]. */
function product(
  left: Float64Array,
  right: Float64Array,
  inner: number,
  width: number,
  columns: readonly number[],
): Float64Array {
  const rows = inner === 0 ? 0 : left.length / inner;
  const made = new Float64Array(rows * columns.length);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < inner; k++) {
      const factor = left[row * inner + k]!;
      columns.forEach((column, c) => {
        made[row * columns.length + c]! += factor * right[k * width + column]!;
      });
    }
  }
  return made;
}

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
  const gram = new Float64Array(covariances!);
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
