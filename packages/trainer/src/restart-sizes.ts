import type { AttemptEvent } from './record.ts';

/** How the search goes down. */
export interface Descent {
  /** How many units fewer an attempt has than the last that held, until one fails. */
  readonly step: number;
  /** No attempt has fewer units, over all groups. */
  readonly least: number;
}

const unitsOf = ({ groups }: Pick<AttemptEvent, 'groups'>): number =>
  groups.reduce((total, { units }) => total + units, 0);

/**
 * The sizes to try after some attempts: `step` fewer than the last that held; after one that failed, halfway
 * between the two, until they lie one unit apart. With a step of one that is one unit less while accuracy
 * holds. Undefined when the search is over.
 */
export function nextSizes(
  attempts: readonly AttemptEvent[],
  { step, least }: Descent,
): Record<string, number> | undefined {
  const last = attempts.findLast(({ held }) => held)!;
  const failed = attempts.findLast(({ held }) => !held);
  const now = unitsOf(last);
  // each group keeps a unit
  const bound = Math.max(least, last.groups.length);
  const next = failed ? Math.floor((now + unitsOf(failed)) / 2) : Math.max(now - step, bound);
  if (next >= now || (failed && next <= unitsOf(failed))) return undefined;
  return takeUnits(last.groups, now - next);
}

/**
 * Takes units from groups, each its share of those that it has to spare. Where no group has any, or none
 * was asked for, by its size. There must be so many beside the one that each group keeps.
 */
export function takeUnits(groups: AttemptEvent['groups'], count: number): Record<string, number> {
  const spared = groups.some(({ spare = 0 }) => spare > 0);
  const weights = groups.map(({ units, spare = 0 }) => (spared ? spare : units));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const taken = groups.map(() => 0);
  for (let unit = 0; unit < count; unit++) {
    const open = [...groups.keys()].filter((g) => groups[g]!.units - taken[g]! > 1);
    const owed = (g: number) => (count * weights[g]!) / total - taken[g]!;
    taken[open.reduce((most, g) => (owed(g) > owed(most) ? g : most))]!++;
  }
  return Object.fromEntries(groups.map(({ id, units }, g) => [id, units - taken[g]!]));
}
