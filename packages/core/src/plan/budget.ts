import type { Proposal } from '../pruner.ts';

/**
 * How far to go, in each group of the scope. `fraction` and `count` are totals: pruning twice to a half
 * leaves a half. A unit always stays, unless the whole layer may go (`wholeLayers`).
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

/** What a group has to give. */
export interface Candidates {
  readonly id: string;
  /** The number of units before any pruning. */
  readonly size: number;
  /** How many of them are gone already. */
  readonly gone: number;
  /** How many must stay: one, or none where the layer may go whole. */
  readonly stay: 0 | 1;
  /** The best first. */
  readonly proposals: readonly Proposal[];
}

/** What goes of a group. */
export interface Taken {
  readonly taken: readonly Proposal[];
  /** What to say if the budget could not be met. */
  readonly notes: readonly string[];
  /** Whether every unit should have gone, but for the one that must stay. */
  readonly spared: boolean;
}

/**
 * The proposals that a budget takes. Without a budget: all (a pair pruner's bounds decide).
 */
export function take({ id, size, gone, stay, proposals }: Candidates, budget: Budget | undefined): Taken {
  const candidates =
    budget && 'threshold' in budget ? proposals.filter(({ score }) => score < budget.threshold) : proposals;
  const offered = candidates.reduce((total, proposal) => total + unitsOf(proposal), 0);
  const wanted = wantedOf(id, size, gone, budget) ?? offered;
  const most = size - gone - stay;
  const taken: Proposal[] = [];
  let units = 0;
  for (const proposal of candidates) {
    // of two units that go together, a budget for one takes none
    if (units + unitsOf(proposal) > Math.min(wanted, most)) continue;
    taken.push(proposal);
    units += unitsOf(proposal);
  }
  if (units >= wanted) return { taken, notes: [], spared: false };
  const why =
    units === most
      ? 'one unit must stay'
      : offered < wanted
        ? `the pruner proposes ${offered}`
        : 'the rest go by twos';
  const spared = units === most && Math.min(wanted, offered) > most;
  return { taken, notes: [`group '${id}': ${wanted} units should go, ${units} do: ${why}`], spared };
}

const unitsOf = ({ also }: Proposal): number => (also === undefined ? 1 : 2);

/** How many units more a budget names; undefined if it names none. */
function wantedOf(id: string, size: number, gone: number, budget: Budget | undefined): number | undefined {
  if (!budget || 'threshold' in budget) return undefined;
  return Math.max(0, wholeOf(totalOf(budget, id, size)) - gone);
}

type TotalBudget = Exclude<Budget, { readonly threshold: number }>;

/** How many units of a group a budget names, not yet rounded down. */
function totalOf(budget: TotalBudget, id: string, size: number): number {
  if ('fraction' in budget) return budget.fraction * size;
  return typeof budget.count === 'number' ? budget.count : (budget.count[id] ?? 0);
}

/** Rounded down; the small term undoes the rounding of products like 0.7 * 10. */
const wholeOf = (units: number): number => Math.floor(units + 1e-9);

/**
 * The budget at a share (0 to 1) of the way to it, from what is gone of each group: a count for each, as a total. A
 * threshold, and no budget at all, are what they are at every share.
 *
 * @throws if the budget counts units of a group that is not there.
 */
export function budgetAt(
  budget: Budget | undefined,
  share: number,
  groups: readonly Pick<Candidates, 'id' | 'size' | 'gone'>[],
): Budget | undefined {
  if (!budget || 'threshold' in budget) return budget;
  checkCounts(
    budget,
    groups.map(({ id }) => id),
  );
  const counts = groups.map(({ id, size, gone }): [string, number] => [
    id,
    wholeOf(gone + share * Math.max(0, totalOf(budget, id, size) - gone)),
  ]);
  return { count: Object.fromEntries(counts) };
}
