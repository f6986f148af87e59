import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { GroupWatch } from '../evidence/group-watch.ts';
import { Watch } from '../evidence/watch.ts';
import { type Analysis, analyzeInternals } from '../graph/analyze.ts';
import { heldPlan } from '../surgery/mask.ts';
import type { Budget } from './budget.ts';
import type { Judged, Leaving } from './choice.ts';
import { choose } from './choose.ts';
import type { Compensation } from './compensation.ts';
import type { CalibrationData } from './data.ts';
import { gather, groupsBeside, watchedGroups } from './judge.ts';
import { checkExtent, checkPruning, compensationOf, type Pruning } from './pruning.ts';
import { refitsOf } from './refits.ts';
import { fingerprintOf, type Removal } from './removal.ts';
import type { Fold, Plan, UnitFold } from './types.ts';

/** What `plan` needs. */
export interface PlanOptions extends Pruning {
  /** Needed if the pruner or the compensation looks at activations or errors. */
  readonly data?: CalibrationData;
}

/** A model's units as a pruner judged them once, for several plans; made by `planner`. */
export interface Planner {
  /** A plan by that judgement, with another budget than that of the options, if one is given. */
  plan(budget?: Budget): Promise<Plan>;
  /** Frees what was gathered. */
  dispose(): void;
}

/**
 * Judges a model's units for several plans with different budgets, which gather nothing anew: to compare how far one
 * can go. The model must not change meanwhile. Dispose it afterwards.
 *
 * @throws if an option makes no sense for this model, data is needed and missing, or the pruner fails.
 */
export async function planner(model: LayersModel, options: PlanOptions): Promise<Planner> {
  checkPruning(options);
  const { pruner, data } = options;
  const analysis = analyzeInternals(model);
  const earlier = await heldPlan(model, analysis);
  const groups = watchedGroups(analysis, options, earlier);
  const compensation = compensationOf(options);
  const beside = groupsBeside(analysis, [pruner], groups, earlier);
  const watch = new Watch(analysis, groups, [pruner], compensation, beside);
  try {
    const who = watch.needs.size > 0 ? pruner.name : `compensation '${compensation.name}'`;
    await gather(model, watch, data, who);
    const gathered = await gatheredBy(watch);
    return {
      plan: (budget = options.budget) =>
        decide(model, analysis, gathered, { ...options, ...(budget && { budget }) }, earlier),
      dispose: () => watch.dispose(),
    };
  } catch (error) {
    watch.dispose();
    throw error;
  }
}

/**
 * Judges a model's units and says which should go, what the rest takes over, and what it would cost and
 * save. The model is not changed.
 *
 * @throws if an option makes no sense for this model, data is needed and missing, or the pruner fails.
 */
export async function plan(model: LayersModel, options: PlanOptions): Promise<Plan> {
  checkPruning(options);
  // before anything is gathered
  checkExtent(options);
  const judged = await planner(model, options);
  try {
    return await judged.plan();
  } finally {
    judged.dispose();
  }
}

/** What a plan is made of. */
export interface Gathered extends Pick<Watch, 'readers'> {
  /** The groups that a pruner has watched, with its judgement. */
  readonly judged: readonly Judged<GroupWatch>[];
}

export async function gatheredBy(watch: Watch): Promise<Gathered> {
  const judgements = await watch.judge(0);
  const judged = watch.judged.map((watched, i) => ({ watched, judge: judgements[i]! }));
  return { judged, readers: watch.readers };
}

/** Judgements and statistics into a plan; it includes what was masked earlier. */
export async function decide(
  model: LayersModel,
  analysis: Analysis,
  { judged, readers }: Gathered,
  options: Pruning,
  earlier: Plan | undefined,
): Promise<Plan> {
  checkExtent(options);
  const compensation = compensationOf(options);
  const { chosen, groups, removal, notes: said } = choose(analysis, options, earlier?.groups ?? [], judged);
  const { overdone } = removal;
  if (overdone)
    throw new Error(`[core] nothing would be left at ${overdone}: lower the budget or narrow the scope`);
  const folds: Fold[] = [];
  const notes: string[] = [];
  for (const pool of chosen) {
    notes.push(...pool.notes);
    for (const one of pool.leaving) {
      const folded = await foldsOf(one, compensation);
      folds.push(...folded.folds);
      notes.push(...folded.notes);
    }
  }
  notes.push(...said);
  const leaving = chosen.flatMap((pool) => pool.leaving);
  const { refit } = compensation;
  const refits = refit ? await refitsOf(readers, refit, leaving, removal) : [];
  const whole = [...removal.emptied.gone].map(({ path }) => path);
  if (whole.length > 0) notes.push(`layers that go whole: ${whole.join(', ')}`);
  const spared = chosen.flatMap((pool) => pool.spared);
  return {
    version: 1,
    model: { name: model.name, fingerprint: fingerprintOf(analysis) },
    pruner: options.pruner.name,
    compensation: compensation.name,
    groups,
    folds: folds.map((fold) => withoutGone(fold, analysis, removal)),
    ...(refits.length > 0 && { refits }),
    cost: { before: analysis.cost, after: removal.cost },
    ...(spared.length > 0 && { spared }),
    notes,
  };
}

async function foldsOf(
  { watched: { group, alive, consumers }, leaving, survivors }: Leaving<GroupWatch>,
  compensation: Compensation,
): Promise<{ folds: Fold[]; notes: string[] }> {
  const folds: Fold[] = [];
  const notes: string[] = [];
  if (!compensation.fold && !compensation.refit) return { folds, notes };
  for (const { layer, kernel, hasBias, foldable, moments } of consumers) {
    if (!foldable) {
      notes.push(`${layer}/${kernel.name} takes over nothing from the removed units of '${group.id}'`);
      continue;
    }
    if (!compensation.fold) continue;
    const units = compensation.fold({
      proposals: leaving,
      survivors,
      hasBias,
      ...(moments && { moments: await moments.read() }),
    });
    if (units.length === 0) continue;
    if (!hasBias && units.some(({ constants }) => constants)) {
      notes.push(`${layer} has no bias that could take over the means of the removed units of '${group.id}'`);
    }
    folds.push({
      group: group.id,
      layer,
      weight: kernel.name,
      units: units.map((unit) => numbered(unit, alive, hasBias)),
    });
  }
  return { folds, notes };
}

/** From numbers among the units alive to those of the group. */
function numbered({ unit, into, constants }: UnitFold, alive: readonly number[], hasBias: boolean): UnitFold {
  return {
    unit: alive[unit]!,
    into: into.map(([target, factor]) => [alive[target]!, factor]),
    ...(constants && hasBias && { constants }),
  };
}

/** Units that were to take over may be gone by now, when nobody reads them any more: nothing is lost with them. */
function withoutGone(fold: Fold, { groups }: Analysis, removal: Removal): Fold {
  const { roots } = groups.find(({ id }) => id === fold.group)!;
  const units = fold.units.map(({ into, ...unit }) => ({
    ...unit,
    into: into.filter(([target]) => !removal.isGone(roots[target]!)),
  }));
  return { ...fold, units };
}
