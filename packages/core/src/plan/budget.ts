import type { Cost } from '../graph/analyze.ts';
import { wholeOf } from './whole.ts';

/** One for each group that it names by id. */
type ByGroup = Readonly<Record<string, number>>;

/** How many units go: of each group of the scope, or of all those together that are ranked together (`ranking`). */
export type UnitBudget =
  /** A share of the units, 0 to 1; or one by group id, of which the units sum where groups are ranked together. */
  | { readonly fraction: number | ByGroup }
  /** A number of units; or one by group id, of which the sum counts where groups are ranked together. */
  | { readonly count: number | ByGroup };

/**
 * How much of a cost may be left of the whole model: below 1 a share of what the unpruned one has, above 1 a number. As few
 * units go as that takes. Where groups are not ranked together, each of them loses the same share of its units, give or
 * take one.
 */
export type CostBudget =
  | { readonly params: number }
  /** Multiply-adds of one forward pass of one example. */
  | { readonly macs: number }
  /** Of the float32 weights. */
  | { readonly bytes: number };

/**
 * How far to go. All but `threshold` are totals: pruning twice to a half leaves a half. A unit of each group always stays,
 * unless the whole layer may go (`wholeLayers`).
 */
export type Budget =
  | UnitBudget
  | CostBudget
  /** The units with a score below it. */
  | { readonly threshold: number };

const costs = ['params', 'macs', 'bytes'] as const satisfies readonly (keyof Cost)[];

/** All that a budget may be given in. */
const measures: readonly string[] = ['fraction', 'count', ...costs, 'threshold'];

/** @throws if a number makes no sense. */
export function checkBudget(budget: Budget): void {
  const said: [string, unknown][] = Object.entries(budget);
  const [measure = '', given] = said[0] ?? [];
  if (said.length !== 1 || !measures.includes(measure)) {
    throw new Error(`[core] budget must have one of ${measures.join(', ')}, got ${JSON.stringify(budget)}`);
  }
  const isByGroup = typeof given === 'object' && given !== null && ['fraction', 'count'].includes(measure);
  const [wanted, isRight] = ruleOf(measure);
  const wrong = (isByGroup ? Object.values(given) : [given]).find(
    (number) => typeof number !== 'number' || !isRight(number),
  );
  if (wrong !== undefined) {
    const text = typeof wrong === 'number' ? wrong : JSON.stringify(wrong);
    throw new Error(`[core] budget.${measure} must be ${wanted}, got ${text}`);
  }
}

/** What a number must be, in words too. */
function ruleOf(measure: string): readonly [wanted: string, isRight: (number: number) => boolean] {
  switch (measure) {
    case 'fraction':
      return ['at least 0 and below 1', (number) => number >= 0 && number < 1];
    case 'count':
      return ['a whole number of units', (number) => Number.isInteger(number) && number >= 0];
    case 'threshold':
      return ['a number', Number.isFinite];
    default:
      return [
        `what may be left: a share above 0 and below 1, or a number of ${measure} above 1`,
        (number) => number > 0 && number !== 1 && Number.isFinite(number),
      ];
  }
}

/** @throws if a budget names a group that is not among those of the scope. */
export function checkNames(budget: Budget | undefined, ids: readonly string[]): void {
  for (const [measure, given] of Object.entries(budget ?? {})) {
    const named = typeof given === 'object' ? Object.keys(given) : [];
    const unknown = named.find((id) => !ids.includes(id));
    if (unknown !== undefined) {
      throw new Error(
        `[core] budget.${measure} names group '${unknown}', which is not in the scope: ${ids.join(', ')}`,
      );
    }
  }
}

/** Where a group stands before a pruning. */
export interface GroupStanding {
  readonly id: string;
  /** The number of units before any pruning. */
  readonly size: number;
  /** How many of them are gone already. */
  readonly gone: number;
  /** Which groups it shares a budget with: the id of the first of them, its own if it has one for itself. */
  readonly pool: string;
}

/** Where a model stands before a pruning. */
export interface Standing {
  /** Those that may be pruned. */
  readonly groups: readonly GroupStanding[];
  /** The cost before any pruning. */
  readonly unpruned: Cost;
  /** The cost now. */
  readonly left: Cost;
}

/** The most that may be left of a cost. */
export interface CostLimit {
  readonly measure: keyof Cost;
  readonly most: number;
}

/** What a budget lets be left; undefined if it is none of a cost. */
export function costLimitOf(budget: Budget | undefined, unpruned: Cost): CostLimit | undefined {
  const measure = costs.find((cost) => budget && cost in budget);
  if (!measure) return undefined;
  const given = (budget as Readonly<Record<string, number>>)[measure]!;
  return { measure, most: given < 1 ? wholeOf(given * unpruned[measure]) : given };
}

/** How many units a budget names of groups that share it, not yet rounded down. */
function totalOf(budget: UnitBudget, pool: readonly GroupStanding[]): number {
  if ('fraction' in budget) {
    const { fraction } = budget;
    return sumOf(
      pool,
      ({ id, size }) => size * (typeof fraction === 'number' ? fraction : (fraction[id] ?? 0)),
    );
  }
  const { count } = budget;
  return typeof count === 'number' ? count : sumOf(pool, ({ id }) => count[id] ?? 0);
}

const sumOf = (pool: readonly GroupStanding[], of: (group: GroupStanding) => number): number =>
  pool.reduce((sum, group) => sum + of(group), 0);

const goneOf = (pool: readonly GroupStanding[]): number => sumOf(pool, ({ gone }) => gone);

const isOfUnits = (budget: Budget): budget is UnitBudget => 'fraction' in budget || 'count' in budget;

/** How many units more a budget names of groups that share it; undefined if it names none. */
export function wantedOf(budget: Budget | undefined, pool: readonly GroupStanding[]): number | undefined {
  if (!budget || !isOfUnits(budget)) return undefined;
  return Math.max(0, wholeOf(totalOf(budget, pool)) - goneOf(pool));
}

/** Groups by what they share a budget with, in order. */
export function byPool<G extends Pick<GroupStanding, 'pool'>>(groups: readonly G[]): G[][] {
  const pools = new Map<string, G[]>();
  for (const group of groups) pools.set(group.pool, [...(pools.get(group.pool) ?? []), group]);
  return [...pools.values()];
}

/**
 * The budget at a share (0 to 1) of the way to it, from where the model stands: of units a count for each pool of groups,
 * by the id of the first, as a total; of a cost the number that may be left. A threshold, and no budget at all, are what
 * they are at every share.
 *
 * @throws if the budget names a group that is not there.
 */
export function budgetAt(
  budget: Budget | undefined,
  share: number,
  { groups, unpruned, left }: Standing,
): Budget | undefined {
  checkNames(
    budget,
    groups.map(({ id }) => id),
  );
  if (!budget || 'threshold' in budget) return budget;
  const limit = costLimitOf(budget, unpruned);
  if (limit) {
    const there = left[limit.measure];
    const next = wholeOf(there - share * Math.max(0, there - limit.most));
    // 1 and below would mean a share
    return { [limit.measure]: Math.max(2, next) } as CostBudget;
  }
  const units = budget as UnitBudget;
  const counts = byPool(groups).map((pool): [string, number] => {
    const gone = goneOf(pool);
    const total = totalOf(units, pool);
    return [pool[0]!.pool, wholeOf(gone + share * Math.max(0, total - gone))];
  });
  return { count: Object.fromEntries(counts) };
}
