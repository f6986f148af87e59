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
  const candidates =
    budget && 'threshold' in budget ? proposals.filter(({ score }) => score < budget.threshold) : proposals;
  const offered = candidates.reduce((total, proposal) => total + unitsOf(proposal), 0);
  const wanted = wantedOf(id, size, gone, budget, share) ?? offered;
  const most = size - gone - 1;
  const taken: Proposal[] = [];
  let units = 0;
  for (const proposal of candidates) {
    // of two units that go together, a budget for one takes none
    if (units + unitsOf(proposal) > Math.min(wanted, most)) continue;
    taken.push(proposal);
    units += unitsOf(proposal);
  }
  if (units >= wanted) return { taken, notes: [] };
  const why =
    units === most
      ? 'one unit must stay'
      : offered < wanted
        ? `the pruner proposes ${offered}`
        : 'the rest go by twos';
  return { taken, notes: [`group '${id}': ${wanted} units should go, ${units} do: ${why}`] };
}

const unitsOf = ({ also }: Proposal): number => (also === undefined ? 1 : 2);

/** How many units a budget names; undefined if it names none. */
function wantedOf(
  id: string,
  size: number,
  gone: number,
  budget: Budget | undefined,
  share: number,
): number | undefined {
  if (!budget || 'threshold' in budget) return undefined;
  const total =
    'fraction' in budget
      ? // the small term undoes the rounding of products like 0.7 * 10
        Math.floor(budget.fraction * size * share + 1e-9)
      : Math.floor(
          (typeof budget.count === 'number' ? budget.count : (budget.count[id] ?? 0)) * share + 1e-9,
        );
  return Math.max(0, total - gone);
}
