import type { Proposal } from '../pruner.ts';

/**
 * How far to go, in each group of the scope. `fraction` and `count` are totals: pruning twice to a half
 * leaves a half. A unit always stays.
 */
export type Budget =
  /** A share of the group's units, 0 to 1. */
  | { readonly fraction: number }
  /** A number of units, for every group or by group id. */
  | { readonly count: number | Readonly<Record<string, number>> }
  /** The units with a score below it. */
  | { readonly threshold: number };

/** @throws if a number makes no sense. */
export function checkBudget(budget: Budget): void {
  if ('fraction' in budget && !(budget.fraction >= 0 && budget.fraction < 1)) {
    throw new Error(`[core] budget.fraction must be at least 0 and below 1, got ${budget.fraction}`);
  }
  if ('count' in budget) {
    const counts = typeof budget.count === 'number' ? [budget.count] : Object.values(budget.count);
    const wrong = counts.find((count) => !Number.isInteger(count) || count < 0);
    if (wrong !== undefined)
      throw new Error(`[core] budget.count must be a whole number of units, got ${wrong}`);
  }
  if ('threshold' in budget && !Number.isFinite(budget.threshold)) {
    throw new Error(`[core] budget.threshold must be a number, got ${budget.threshold}`);
  }
}

/** What a group has to give. */
export interface Candidates {
  readonly id: string;
  /** The number of units before any pruning. */
  readonly size: number;
  /** How many of them are gone already. */
  readonly gone: number;
  /** The best first. */
  readonly proposals: readonly Proposal[];
}

/**
 * The proposals that a budget takes, and what to say if it could not be met. Without a budget: all (a pair
 * pruner's bounds decide). `share` of the way to the budget's total is gone in this pruning.
 */
export function take(
  { id, size, gone, proposals }: Candidates,
  budget: Budget | undefined,
  share: number,
): { readonly taken: readonly Proposal[]; readonly notes: readonly string[] } {
  const most = size - gone - 1;
  const wanted = wantedOf(id, size, gone, proposals, budget, share);
  const taken = proposals.slice(0, Math.min(wanted, most));
  if (taken.length >= wanted) return { taken, notes: [] };
  const why =
    proposals.length < wanted && proposals.length <= most
      ? `the pruner proposes ${proposals.length}`
      : 'one unit must stay';
  return { taken, notes: [`group '${id}': ${wanted} units should go, ${taken.length} do: ${why}`] };
}

function wantedOf(
  id: string,
  size: number,
  gone: number,
  proposals: readonly Proposal[],
  budget: Budget | undefined,
  share: number,
): number {
  if (!budget) return proposals.length;
  if ('threshold' in budget) return proposals.filter(({ score }) => score < budget.threshold).length;
  const total =
    'fraction' in budget
      ? // the small term undoes the rounding of products like 0.7 * 10
        Math.floor(budget.fraction * size * share + 1e-9)
      : Math.floor(
          (typeof budget.count === 'number' ? budget.count : (budget.count[id] ?? 0)) * share + 1e-9,
        );
  return Math.max(0, total - gone);
}
