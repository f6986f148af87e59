import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Watched } from '../evidence/group-watch.ts';
import { type Analysis, analyzeInternals } from '../graph/analyze.ts';
import { maskedPlan } from '../surgery/mask.ts';
import type { GroupStanding, Standing } from './budget.ts';
import { watchedGroups } from './judge.ts';
import type { Pruning } from './pruning.ts';
import { poolsOf } from './ranking.ts';
import type { Plan } from './types.ts';

/**
 * How far a model is, and each of its groups that may be pruned, by what is masked; and which groups share a budget.
 *
 * @throws as `groupsInScope` does.
 */
export function standingOf(
  model: LayersModel,
  options: Pick<Pruning, 'scope' | 'keep' | 'ranking'> = {},
): Standing {
  const analysis = analyzeInternals(model);
  const earlier = maskedPlan(model);
  return standingIn(analysis, watchedGroups(analysis, options, earlier), earlier, options.ranking);
}

/** `standingOf` for groups that are known already; `earlier` is what is masked. */
export const standingIn = (
  analysis: Analysis,
  watched: readonly Watched[],
  earlier: Plan | undefined,
  ranking: Pruning['ranking'],
): Standing => ({
  groups: groupStandings(analysis, watched, ranking),
  unpruned: analysis.cost,
  left: earlier?.cost.after ?? analysis.cost,
});

/** How far groups are, and which of them share a budget. */
export function groupStandings(
  analysis: Analysis,
  watched: readonly Watched[],
  ranking: Pruning['ranking'],
): GroupStanding[] {
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
