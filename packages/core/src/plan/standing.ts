import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Watched } from '../evidence/group-watch.ts';
import { type Analysis, analyzeInternals } from '../graph/analyze.ts';
import { maskedPlan } from '../surgery/mask.ts';
import type { Standing } from './budget.ts';
import { watchedGroups } from './judge.ts';
import type { Pruning } from './pruning.ts';
import { poolsOf } from './ranking.ts';

/**
 * How far the groups are that may be pruned, by what is masked in them, and which of them share a budget.
 *
 * @throws as `groupsInScope` does.
 */
export function standingOf(
  model: LayersModel,
  options: Pick<Pruning, 'scope' | 'keep' | 'ranking'> = {},
): Standing[] {
  const analysis = analyzeInternals(model);
  return standings(analysis, watchedGroups(analysis, options, maskedPlan(model)), options.ranking);
}

/** `standingOf` for groups that are known already. */
export function standings(
  analysis: Analysis,
  watched: readonly Watched[],
  ranking: Pruning['ranking'],
): Standing[] {
  const pools = poolsOf(
    analysis,
    watched.map(({ group }) => group),
    ranking,
  );
  return watched.map(({ group: { id, size }, alive }) => ({
    id,
    size,
    gone: size - alive.length,
    pool: pools.get(id)!,
  }));
}
