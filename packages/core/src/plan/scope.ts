import type { Group } from '../graph/analyze.ts';

/**
 * The groups that a scope means: those with its ids, and those of its kinds that can be pruned exactly.
 * Without a scope, all that can be pruned exactly but for single features of flattened maps.
 *
 * @throws if the scope names what isn't there or can't be pruned, or nothing can be.
 */
export function groupsInScope<G extends Group>(groups: readonly G[], scope?: readonly string[]): G[] {
  const exact = groups.filter((group) => group.prunable && group.exact);
  if (!scope) {
    const chosen = exact.filter(({ kind }) => kind !== 'feature');
    if (chosen.length > 0) return chosen;
    const reasons = groups.map(
      ({ id, reason, inexactReason }) => `${id}: ${reason ?? inexactReason ?? 'single features'}`,
    );
    throw new Error(
      `[core] no group of this model can be pruned (${reasons.join('; ') || 'it has no units'})`,
    );
  }
  if (scope.length === 0) throw new Error('[core] the scope is empty: leave it out, or name groups or kinds');
  const chosen = new Set<G>();
  for (const name of scope) {
    const named = groups.find(({ id }) => id === name);
    if (named && !named.prunable) throw new Error(`[core] group '${name}' can't be pruned: ${named.reason}`);
    const meant = named ? [named] : exact.filter(({ kind }) => kind === name);
    if (meant.length === 0) {
      const there = groups.filter(({ prunable }) => prunable).map(({ id, kind }) => `${id} (${kind})`);
      throw new Error(
        `[core] the scope names '${name}', which is no prunable group or kind of this model. There are: ${there.join(', ')}`,
      );
    }
    for (const group of meant) chosen.add(group);
  }
  return groups.filter((group) => chosen.has(group));
}
