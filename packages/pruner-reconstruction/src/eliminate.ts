import { type Proposal, solveRidge } from '@espalier/core';
import type { Partners } from './partners.ts';

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

/** What is known of a group of units, row-major [units, units]. */
export interface Known {
  readonly covariances: Float64Array;
  /** The products of each two units' outgoing weights. */
  readonly weights: Float64Array;
}

/** Says who may go, and is told who does. */
export type Leave = Pick<Partners, 'mayGo' | 'go'>;

const everyone: Leave = { mayGo: () => true, go: () => undefined };

/**
 * All units that may go in the order in which they should, with the share of what their readers sum up that is lost by
 * then.
 */
export function eliminate(
  { covariances, weights }: Known,
  units: number,
  ridge: number,
  leave: Leave = everyone,
): Pick<Proposal, 'unit' | 'score'>[] {
  const all = allThatIsRead(covariances, weights, units, ridge);
  const inverse = inverted(covariances, units, ridge);
  const left: Left = {
    inverse,
    weights: weights.slice(),
    units,
    alive: Array.from({ length: units }, (_, unit) => unit),
  };
  const order: Pick<Proposal, 'unit' | 'score'>[] = [];
  let lost = 0;
  for (let next = cheapest(left, leave); next; next = cheapest(left, leave)) {
    const { unit, cost } = next;
    takeAway(left, unit);
    leave.go(unit);
    lost += cost;
    order.push({ unit, score: all > 0 ? Math.min(1, lost / all) : 0 });
  }
  return order;
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

/** The unit of those that may go without which least is lost, and how much that is. */
function cheapest(
  { inverse, weights, units, alive }: Left,
  leave: Leave,
): { readonly unit: number; readonly cost: number } | undefined {
  let best: { readonly unit: number; readonly cost: number } | undefined;
  for (const unit of alive) {
    if (!leave.mayGo(unit)) continue;
    const at = unit * units + unit;
    // where no unit varies the inverse is 0, and nothing is lost
    const cost = inverse[at]! > 0 ? Math.max(0, weights[at]!) / inverse[at]! : 0;
    if (!best || cost < best.cost) best = { unit, cost };
  }
  return best;
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
