/** A least-squares problem in its normal equations; matrices are row-major. */
export interface NormalEquations {
  /** The Gram or covariance matrix of the inputs, [unknowns, unknowns]. */
  readonly gram: Float64Array;
  /** Inputs with targets, [unknowns, targets]. */
  readonly right: Float64Array;
  readonly unknowns: number;
}

/**
 * Solves (G + r I) X = B for X, [unknowns, targets], in float64, by Cholesky's factors: a thousand unknowns with a
 * hundred targets take a third of a second. r is `ridge` times the mean of G's diagonal, so that it means the same
 * for inputs of any scale (Hoerl & Kennard 1970, equation 2.1). Inputs that never vary get zeros.
 *
 * @throws if G + r I is not positive definite, or G or B holds what is not a number.
 */
export function solveRidge({ gram, right, unknowns: n }: NormalEquations, ridge: number): Float64Array {
  const wrong = right.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) {
    throw new Error(
      `[core] the inputs' covariances with what is fitted to hold ${wrong}: look for NaN in the data`,
    );
  }
  let trace = 0;
  for (let i = 0; i < n; i++) trace += gram[i * n + i]!;
  if (trace === 0) return new Float64Array(right.length);
  const factor = Float64Array.from(gram);
  for (let i = 0; i < n; i++) factor[i * n + i]! += (ridge * trace) / n;
  factorize(factor, n);
  const solution = Float64Array.from(right);
  substitute(factor, n, solution);
  return solution;
}

/** The lower triangle L of A = L L', in place. */
function factorize(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
      if (j < i) {
        a[i * n + j] = sum / a[j * n + j]!;
        continue;
      }
      if (!(sum > 0 && Number.isFinite(sum))) {
        throw new Error(
          `[core] the inputs' covariances can't be solved (pivot ${sum} at ${i}): look for NaN in the data, or raise ` +
            'the ridge',
        );
      }
      a[i * n + i] = Math.sqrt(sum);
    }
  }
}

/** X becomes (L L')^-1 X, whole rows at a time. */
function substitute(l: Float64Array, n: number, x: Float64Array): void {
  const columns = x.length / n;
  const eliminate = (row: number, other: number, by: number): void => {
    for (let c = 0; c < columns; c++) x[row * columns + c]! -= by * x[other * columns + c]!;
  };
  const divide = (row: number): void => {
    for (let c = 0; c < columns; c++) x[row * columns + c]! /= l[row * n + row]!;
  };
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) eliminate(i, k, l[i * n + k]!);
    divide(i);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) eliminate(i, k, l[k * n + i]!);
    divide(i);
  }
}
