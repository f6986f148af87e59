import type { LayersModel } from '@tensorflow/tfjs-layers';
import { lastGroups } from '../evidence/backflow.ts';
import { goesBack } from '../evidence/criteria.ts';
import type { Watched } from '../evidence/group-watch.ts';
import { Watch } from '../evidence/watch.ts';
import { type Analysis, type AnalyzedGroup, analyzeInternals } from '../graph/analyze.ts';
import type { Proposal, Pruner } from '../pruner.ts';
import { heldPlan } from '../surgery/mask.ts';
import { none } from './compensation.ts';
import { type CalibrationData, runThrough } from './data.ts';
import { checkPruning } from './pruning.ts';
import { Removal } from './removal.ts';
import { groupsInScope, type Scope } from './scope.ts';
import type { Plan } from './types.ts';

/** What `judge` needs. */
export interface JudgeOptions extends Scope {
  /** Needed if a pruner looks at activations or errors. */
  readonly data?: CalibrationData;
  readonly pruners: readonly Pruner[];
}

/** What one pruner says of the units of some groups. */
export interface Verdict {
  readonly pruner: string;
  readonly groups: readonly {
    readonly id: string;
    readonly size: number;
    /** The units in the order in which they should go. */
    readonly proposals: readonly Proposal[];
  }[];
}

/**
 * Asks several pruners at once for their judgement, in one pass over the data. Nothing is planned and nothing
 * is changed: to compare criteria with each other.
 *
 * @throws if data is needed and missing, or a pruner fails.
 */
export async function judge(model: LayersModel, options: JudgeOptions): Promise<Verdict[]> {
  const { pruners, data } = options;
  for (const pruner of pruners) checkPruning({ pruner });
  const analysis = analyzeInternals(model);
  const earlier = await heldPlan(model, analysis);
  const groups = watchedGroups(analysis, options, earlier);
  const beside = groupsBeside(analysis, pruners, groups, earlier);
  const watch = new Watch(analysis, groups, pruners, none(), beside);
  try {
    await gather(model, watch, data, pruners.map(({ name }) => name).join(', '));
    const verdicts: Verdict[] = [];
    for (const [i, { name }] of pruners.entries()) {
      const judgements = await watch.judge(i);
      const groups = watch.judged.map(({ group: { id, size }, alive }, g) => ({
        id,
        size,
        proposals: judgements[g]!().map((proposal) => renumbered(proposal, alive)),
      }));
      verdicts.push({ pruner: name, groups });
    }
    return verdicts;
  } finally {
    watch.dispose();
  }
}

/** From numbers among the units alive to those of the group. */
function renumbered({ unit, into, also, ...rest }: Proposal, alive: readonly number[]): Proposal {
  return {
    unit: alive[unit]!,
    ...(into !== undefined && { into: alive[into]! }),
    ...(also !== undefined && { also: alive[also]! }),
    ...rest,
  };
}

/** Runs the data past a watch that needs any; `who` wants it. */
export async function gather(
  model: LayersModel,
  watch: Watch,
  data: CalibrationData | undefined,
  who: string,
): Promise<void> {
  const { needs } = watch;
  if (needs.has('updates')) {
    throw new Error(
      `[core] ${who} looks at the optimizer's updates, which only training makes: ` +
        'run it by model.fit(..., { callbacks: [prune(pruner, ...)] })',
    );
  }
  if (!watch.watching) return;
  if (!data) {
    throw new Error(
      `[core] ${who} looks at data: give data: { x${needs.has('errors') || needs.has('losses') ? ', y' : ''} }`,
    );
  }
  await runThrough(model, data, watch);
}

/** The groups of a scope with their units that are still there. */
export const watchedGroups = (
  analysis: Analysis,
  scope: Scope,
  earlier: Pick<Plan, 'groups'> | undefined,
): Watched[] => withAlive(analysis, groupsInScope(analysis, scope), earlier);

/** The groups beside those of a scope that pruners must see to judge these. */
export function groupsBeside(
  analysis: Analysis,
  pruners: readonly Pruner[],
  watched: readonly Watched[],
  earlier: Pick<Plan, 'groups'> | undefined,
): Watched[] {
  if (!pruners.some(goesBack)) return [];
  const inScope = new Set(watched.map(({ group }) => group));
  const beside = lastGroups(analysis).filter((group) => !inScope.has(group));
  return withAlive(analysis, beside, earlier);
}

function withAlive(
  analysis: Analysis,
  groups: readonly AnalyzedGroup[],
  earlier: Pick<Plan, 'groups'> | undefined,
): Watched[] {
  const removal = new Removal(analysis, earlier?.groups ?? []);
  return groups.map((group) => ({
    group,
    alive: Array.from(group.roots.keys()).filter((unit) => !removal.isGone(group.roots[unit]!)),
  }));
}
