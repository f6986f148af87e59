/** How many units of a group must stay, however far a budget goes. */
export interface Limits {
  /**
   * What stays of a group is a multiple of it, for engines that compute by blocks of 8 or 16: rather fewer units go than
   * a budget says. Default 1.
   */
  readonly roundTo?: number;
  /** At least so many units stay in each group. Default 1. */
  readonly minUnits?: number;
}

/** @throws if a number makes no sense. */
export function checkLimits(limits: Limits): void {
  for (const name of ['roundTo', 'minUnits'] as const) {
    const value = limits[name] ?? 1;
    if (!Number.isInteger(value) || value < 1) {
      throw new Error(
        `[core] ${name} must be a whole number of units of at least 1, got ${JSON.stringify(value)}`,
      );
    }
  }
}

/** The fewest units that may be left of a group. */
export const leastOf = ({ roundTo = 1, minUnits = 1 }: Limits): number =>
  Math.ceil(minUnits / roundTo) * roundTo;

/** Whether so many units may be left of a group. */
export const mayLeave = (limits: Limits, units: number): boolean =>
  units >= leastOf(limits) && units % (limits.roundTo ?? 1) === 0;

/** How many of some units may go at most; `left` are there. */
export function mostOf(limits: Limits, left: number, wanted: number): number {
  for (let most = Math.min(wanted, left); most > 0; most--) if (mayLeave(limits, left - most)) return most;
  return 0;
}

/** What the limits ask for, in words: `at least 4 units and a multiple of 8`. */
export const limitsText = ({ roundTo = 1, minUnits = 1 }: Limits): string =>
  [
    ...(minUnits > 1 ? [`at least ${minUnits} units`] : []),
    ...(roundTo > 1 ? [`a multiple of ${roundTo}`] : []),
  ].join(' and ') || 'one unit';
