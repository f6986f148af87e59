import { type Proposal, solveRidge } from '@espalier/core';

/** What is known of the units that are left, row-major [units, units]. */
interface Left {
  /** (A_SS)^-1. */
  readonly inverse: Float64Array;
  /** U U': the products of each two units' refitted outgoing weights. */
  readonly weights: Float64Array;
  readonly units: number;
  /** Those left, ascending. */
  alive: number[];
}

/**
 * All units in the order in which they should go, with the share of what their readers sum up that is lost by then.
 *
 * @param numbers row-major [units, 2 units]: the covariances, then the products of the outgoing weights.
 */
export function eliminate(
  numbers: Float32Array,
  units: number,
  ridge: number,
): Pick<Proposal, 'unit' | 'score'>[] {
  const half = (side: 0 | 1) =>
    Float64Array.from({ length: units * units }, (_, i) => {
      return numbers[(2 * Math.floor(i / units) + side) * units + (i % units)]!;
    });
  const [covariances, weights] = [half(0), half(1)];
  const all = allThatIsRead(covariances, weights, units, ridge);
  const inverse = inverted(covariances, units, ridge);
  const left: Left = { inverse, weights, units, alive: Array.from({ length: units }, (_, unit) => unit) };
  let lost = 0;
  return Array.from({ length: units }, () => {
    const [unit, cost] = cheapest(left);
    takeAway(left, unit);
    lost += cost;
    return { unit, score: all > 0 ? Math.min(1, lost / all) : 0 };
  });
}

/** tr W' A W. */
function allThatIsRead(
  covariances: Float64Array,
  weights: Float64Array,
  units: number,
  ridge: number,
): number {
  let [read, variance, squares] = [0, 0, 0];
  covariances.forEach((value, i) => {
    read += value * weights[i]!;
  });
  for (let i = 0; i < units; i++) {
    variance += covariances[i * units + i]! / units;
    squares += weights[i * units + i]!;
  }
  return read + ridge * variance * squares;
}

/** A^-1; 0 if no unit ever varies. */
function inverted(gram: Float64Array, units: number, ridge: number): Float64Array {
  const right = new Float64Array(units * units);
  for (let i = 0; i < units; i++) right[i * units + i] = 1;
  return solveRidge({ gram, right, unknowns: units }, ridge);
}

/** The unit without which least is lost, and how much that is. */
function cheapest({ inverse, weights, units, alive }: Left): readonly [unit: number, cost: number] {
  let [best, least] = [alive[0]!, Number.POSITIVE_INFINITY];
  for (const unit of alive) {
    const at = unit * units + unit;
    // where no unit varies the inverse is 0, and nothing is lost
    const cost = inverse[at]! > 0 ? Math.max(0, weights[at]!) / inverse[at]! : 0;
    if (cost < least) [best, least] = [unit, cost];
  }
  return [best, least];
}

function takeAway(left: Left, gone: number): void {
  const { inverse, weights, units } = left;
  left.alive = left.alive.filter((unit) => unit !== gone);
  const pivot = inverse[gone * units + gone]!;
  if (pivot === 0) return;
  const share = left.alive.map((unit) => inverse[unit * units + gone]! / pivot);
  const column = left.alive.map((unit) => inverse[unit * units + gone]!);
  const product = left.alive.map((unit) => weights[unit * units + gone]!);
  const square = weights[gone * units + gone]!;
  left.alive.forEach((row, r) => {
    const [by, own] = [share[r]!, product[r]!];
    left.alive.forEach((unit, c) => {
      const at = row * units + unit;
      inverse[at]! -= by * column[c]!;
      weights[at]! += by * share[c]! * square - by * product[c]! - own * share[c]!;
    });
  });
}
