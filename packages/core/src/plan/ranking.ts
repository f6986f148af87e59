import type { Analysis, AnalyzedGroup } from '../graph/analyze.ts';
import type { Proposal } from '../pruner.ts';

/**
 * Which groups share a budget, and are ranked together for it.
 *
 * - `local`: each group has the budget for itself.
 * - `global`: all groups of the scope share one.
 * - `isomorphic`: groups of the same parts do: layers of the same classes, with windows of the same size, that make,
 *   read or normalise their units (Fang et al., "Isomorphic Pruning for Vision Models", 2024). Unlike parts have scores
 *   that don't compare: ranked globally, one sort of layer may go nearly whole.
 *
 * Single features of flattened maps belong to other units, and are never ranked beside those.
 */
export type Ranking = 'local' | 'global' | 'isomorphic';

/** All of them. */
export const rankings: readonly Ranking[] = ['local', 'global', 'isomorphic'];

/** The pool that each group is ranked in: the id of the first group there. */
export function poolsOf(
  analysis: Analysis,
  groups: readonly AnalyzedGroup[],
  ranking: Ranking = 'local',
): Map<string, string> {
  const firsts = new Map<string, string>();
  const pools = new Map<string, string>();
  for (const group of groups) {
    const isAlone = ranking === 'local' || group.parent !== undefined;
    const key = isAlone ? `group ${group.id}` : ranking === 'global' ? '' : partsOf(analysis, group);
    if (!firsts.has(key)) firsts.set(key, group.id);
    pools.set(group.id, firsts.get(key)!);
  }
  return pools;
}

/** What a group's units are made of; it stays the same when units go. */
function partsOf({ trace }: Analysis, { kind, members }: AnalyzedGroup): string {
  const parts = members.map(({ layer: path, weight: name, axis, role }) => {
    const { layer, weights } = trace.byPath.get(path)!;
    const { shape, axes } = weights.find((weight) => weight.name === name)!;
    // an axis of units has no size of its own
    const window = shape.map((length, a) => (axes[a] ? '' : length));
    return [layer.getClassName(), name, role, axis, ...window].join(' ');
  });
  return [kind, ...parts.sort()].join(', ');
}

/** What proposals of several groups are ranked by, the lowest first. */
export const priceOf = ({ price, score }: Proposal): number => price ?? score;

/**
 * What the prices of a group's proposals are divided by before they are compared with those of other groups: their mean
 * size. Layers of other widths and scales give scores of other sizes; the mean takes that away, leaves 0 and the order of
 * negative scores as they are, and is less at the mercy of one unit than the largest score is (Torch-Pruning's default
 * `normalizer='mean'`; Fang et al., "DepGraph", 2023, section 3.3).
 */
export function scaleOf(proposals: readonly Proposal[]): number {
  const total = proposals.reduce((sum, proposal) => sum + Math.abs(priceOf(proposal)), 0);
  return total > 0 ? total / proposals.length : 1;
}
