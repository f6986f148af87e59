import { wholeOf } from './whole.ts';

/**
 * How far to go, in each group of the scope, or in all those together that are ranked together (`ranking`). `fraction`
 * and `count` are totals: pruning twice to a half leaves a half. A unit always stays, unless the whole layer may go
 * (`wholeLayers`).
 */
export type Budget =
  /** A share of the units, 0 to 1. */
  | { readonly fraction: number }
  /** A number of units; or one by group id, of which the sum counts where groups are ranked together. */
  | { readonly count: number | Readonly<Record<string, number>> }
  /** The units with a score below it. */
  | { readonly threshold: number };

/** @throws if a number makes no sense. */
export function checkBudget(budget: Budget): void {
  const said = Object.keys(budget);
  if (said.length !== 1 || !['fraction', 'count', 'threshold'].includes(said[0]!)) {
    throw new Error(
      `[core] budget must have one of fraction, count and threshold, got ${JSON.stringify(budget)}`,
    );
  }
  if ('fraction' in budget && !(isNumber(budget.fraction) && budget.fraction >= 0 && budget.fraction < 1)) {
    throw new Error(
      `[core] budget.fraction must be at least 0 and below 1, got ${JSON.stringify(budget.fraction)}`,
    );
  }
  if ('count' in budget) {
    const { count } = budget;
    const counts = typeof count === 'object' && count !== null ? Object.values(count) : [count];
    const wrong = counts.find((count) => !Number.isInteger(count) || count < 0);
    if (wrong !== undefined)
      throw new Error(`[core] budget.count must be a whole number of units, got ${JSON.stringify(wrong)}`);
  }
  if ('threshold' in budget && !Number.isFinite(budget.threshold)) {
    throw new Error(`[core] budget.threshold must be a number, got ${budget.threshold}`);
  }
}

const isNumber = (value: unknown): boolean => typeof value === 'number';

/** @throws if a budget counts units of a group that is not among those of the scope. */
export function checkCounts(budget: Budget | undefined, ids: readonly string[]): void {
  if (!budget || !('count' in budget) || typeof budget.count === 'number') return;
  const unknown = Object.keys(budget.count).find((id) => !ids.includes(id));
  if (unknown !== undefined) {
    throw new Error(
      `[core] budget.count names group '${unknown}', which is not in the scope: ${ids.join(', ')}`,
    );
  }
}

/** Where a group stands before a pruning. */
export interface Standing {
  readonly id: string;
  /** The number of units before any pruning. */
  readonly size: number;
  /** How many of them are gone already. */
  readonly gone: number;
  /** Which groups it shares a budget with: the id of the first of them, its own if it has one for itself. */
  readonly pool: string;
}

type TotalBudget = Exclude<Budget, { readonly threshold: number }>;

/** How many units a budget names of groups that share it, not yet rounded down. */
function totalOf(budget: TotalBudget, pool: readonly Standing[]): number {
  if ('fraction' in budget) return budget.fraction * sumOf(pool, ({ size }) => size);
  const { count } = budget;
  return typeof count === 'number' ? count : sumOf(pool, ({ id }) => count[id] ?? 0);
}

const sumOf = (pool: readonly Standing[], of: (group: Standing) => number): number =>
  pool.reduce((sum, group) => sum + of(group), 0);

const goneOf = (pool: readonly Standing[]): number => sumOf(pool, ({ gone }) => gone);

/** How many units more a budget names of groups that share it; undefined if it names none. */
export function wantedOf(budget: Budget | undefined, pool: readonly Standing[]): number | undefined {
  if (!budget || 'threshold' in budget) return undefined;
  return Math.max(0, wholeOf(totalOf(budget, pool)) - goneOf(pool));
}

/** Groups by what they share a budget with, in order. */
export function byPool<G extends Pick<Standing, 'pool'>>(groups: readonly G[]): G[][] {
  const pools = new Map<string, G[]>();
  for (const group of groups) pools.set(group.pool, [...(pools.get(group.pool) ?? []), group]);
  return [...pools.values()];
}

/**
 * The budget at a share (0 to 1) of the way to it, from what is gone: a count for each pool of groups, by the id of the
 * first, as a total. A threshold, and no budget at all, are what they are at every share.
 *
 * @throws if the budget counts units of a group that is not there.
 */
export function budgetAt(
  budget: Budget | undefined,
  share: number,
  groups: readonly Standing[],
): Budget | undefined {
  if (!budget || 'threshold' in budget) return budget;
  checkCounts(
    budget,
    groups.map(({ id }) => id),
  );
  const counts = byPool(groups).map((pool): [string, number] => {
    const gone = goneOf(pool);
    return [pool[0]!.pool, wholeOf(gone + share * Math.max(0, totalOf(budget, pool) - gone))];
  });
  return { count: Object.fromEntries(counts) };
}
