import type { Watched } from '../evidence/group-watch.ts';
import type { Analysis } from '../graph/analyze.ts';
import { byPool, type CostLimit, costLimitOf, type GroupStanding } from './budget.ts';
import { Choice, type Chosen, type Judged } from './choice.ts';
import type { Pruning } from './pruning.ts';
import type { Removal } from './removal.ts';
import { groupStandings } from './standing.ts';
import type { PlannedGroup } from './types.ts';

/** All that goes within a budget. */
export interface Decision<G extends Watched = Watched> {
  /** Of each pool, in their order. */
  readonly chosen: readonly Chosen<G>[];
  /** With what went earlier. */
  readonly groups: readonly PlannedGroup[];
  /** The same as labels. */
  readonly removal: Removal;
  /** What to say of all pools together. */
  readonly notes: readonly string[];
}

/**
 * Chooses what goes of groups that were judged, on top of what went earlier. A budget of a cost is met by as few units as
 * its rankings allow: with the last of them it holds, without it it does not.
 *
 * @throws if the budget names a group that is not in the scope.
 */
export function choose<G extends Watched>(
  analysis: Analysis,
  options: Pruning,
  earlier: readonly PlannedGroup[],
  judged: readonly Judged<G>[],
): Decision<G> {
  const limit = costLimitOf(options.budget, analysis.cost);
  if (!limit) return chooseUnits(analysis, options, earlier, judged);
  const groups = groupStandings(
    analysis,
    judged.map(({ watched }) => watched),
    options.ranking,
  );
  const turns = turnsOf(byPool(groups));
  const without = (units: number): Decision<G> =>
    chooseUnits(
      analysis,
      { ...options, budget: { count: countsAfter(units, turns, groups) } },
      earlier,
      judged,
    );
  const units = fewest(turns.length, (some) => holds(limit, without(some).removal));
  if (units === undefined) {
    const most = without(turns.length);
    return withNote(most, limit, `${most.removal.cost[limit.measure]} are`);
  }
  const found = without(units);
  // counts that were only tried are nobody's wish
  const chosen = found.chosen.map((pool) => ({ ...pool, notes: [] }));
  const decision = { ...found, chosen };
  if (units > 0 || earlier.length > 0) return decision;
  return withNote(decision, limit, `and there are only ${analysis.cost[limit.measure]}: nothing goes`);
}

function chooseUnits<G extends Watched>(
  analysis: Analysis,
  options: Pruning,
  earlier: readonly PlannedGroup[],
  judged: readonly Judged<G>[],
): Decision<G> {
  const choice = new Choice(analysis, options, earlier);
  const chosen = choice.pools(judged).map((pool) => choice.take(pool));
  const notes = choice.dropUnread();
  return { chosen, groups: choice.groups, removal: choice.removal, notes };
}

/** Where nothing is left that must be, it holds, and the plan will say what is wrong. */
const holds = ({ measure, most }: CostLimit, removal: Removal): boolean =>
  removal.overdone !== undefined || removal.cost[measure] <= most;

const withNote = <G extends Watched>(
  decision: Decision<G>,
  { measure, most }: CostLimit,
  found: string,
): Decision<G> => ({
  ...decision,
  notes: [`${measure}: at most ${most} should be left, ${found}`, ...decision.notes],
});

/** The pools' turns to lose a unit, by their ids, where each loses the same share of its units at any time. */
function turnsOf(pools: readonly (readonly GroupStanding[])[]): string[] {
  const turns = pools.flatMap((pool) => {
    const [size, gone] = [sumOf(pool, 'size'), sumOf(pool, 'gone')];
    return Array.from({ length: size - gone }, (_, i) => ({
      pool: pool[0]!.pool,
      share: (gone + i + 1) / size,
    }));
  });
  return turns.sort((a, b) => a.share - b.share).map(({ pool }) => pool);
}

/** How many units of each pool are gone after so many turns, with those that went before. */
function countsAfter(
  units: number,
  turns: readonly string[],
  groups: readonly GroupStanding[],
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const pool of byPool(groups)) counts[pool[0]!.pool] = sumOf(pool, 'gone');
  for (const pool of turns.slice(0, units)) counts[pool]!++;
  return counts;
}

const sumOf = (pool: readonly GroupStanding[], key: 'size' | 'gone'): number =>
  pool.reduce((sum, group) => sum + group[key], 0);

/** The fewest of 0 to `most` with which something holds that more don't undo; undefined if it doesn't with all. */
function fewest(most: number, holdsWith: (some: number) => boolean): number | undefined {
  if (holdsWith(0)) return 0;
  if (!holdsWith(most)) return undefined;
  let [before, found] = [0, most];
  while (found - before > 1) {
    const middle = Math.floor((before + found) / 2);
    if (holdsWith(middle)) found = middle;
    else before = middle;
  }
  return found;
}
