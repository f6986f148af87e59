import type { LayersModel } from '@tensorflow/tfjs-layers';
import { Watch } from '../evidence/watch.ts';
import { type Analysis, type AnalyzedGroup, analyzeInternals } from '../graph/analyze.ts';
import type { Proposal } from '../pruner.ts';
import { heldPlan } from '../surgery/mask.ts';
import { checkCounts, take } from './budget.ts';
import type { Compensation } from './compensation.ts';
import type { CalibrationData } from './data.ts';
import { gather, watchedGroups } from './judge.ts';
import { mergeGroups } from './merge.ts';
import { checkExtent, checkPruning, compensationOf, type Pruning } from './pruning.ts';
import { fingerprintOf, Removal } from './removal.ts';
import { groupsInScope } from './scope.ts';
import type { Fold, Plan, PlannedGroup, UnitFold } from './types.ts';

/** What `plan` needs. */
export interface PlanOptions extends Pruning {
  /** Needed if the pruner or the compensation looks at activations or errors. */
  readonly data?: CalibrationData;
}

/**
 * Judges a model's units and says which should go, what the rest takes over, and what it would cost and
 * save. The model is not changed.
 *
 * @throws if an option makes no sense for this model, data is needed and missing, or the pruner fails.
 */
export async function plan(model: LayersModel, options: PlanOptions): Promise<Plan> {
  checkPruning(options);
  checkExtent(options);
  const { pruner, data } = options;
  const analysis = analyzeInternals(model);
  const earlier = await heldPlan(model, analysis);
  const groups = watchedGroups(analysis, options.scope, earlier);
  const compensation = compensationOf(options);
  const watch = new Watch(analysis, groups, [pruner], compensation);
  try {
    const who = watch.needs.size > 0 ? pruner.name : `compensation '${compensation.name}'`;
    await gather(model, watch, data, who);
    return await decide(model, analysis, watch, options, earlier);
  } finally {
    watch.dispose();
  }
}

/** Judgements and statistics into a plan; it includes what was masked earlier. */
export async function decide(
  model: LayersModel,
  analysis: Analysis,
  watch: Watch,
  options: Pruning,
  earlier: Plan | undefined,
): Promise<Plan> {
  const { budget, pruner, scope, wholeLayers = false } = options;
  const compensation = compensationOf(options);
  checkExtent(options);
  checkCounts(
    budget,
    groupsInScope(analysis.groups, scope).map(({ id }) => id),
  );
  const judgements = await watch.judge(0);
  const planned = new Map<string, PlannedGroup>((earlier?.groups ?? []).map((group) => [group.id, group]));
  const folds: Fold[] = [];
  const notes: string[] = [];
  const spared: string[] = [];
  const mustStay = (group: AnalyzedGroup) => (wholeLayers && canEmpty(analysis, planned, group) ? 0 : 1);

  // a group comes before those of its features, which are judged by what it leaves
  for (const [i, watched] of watch.groups.entries()) {
    const { group, alive } = watched;
    const removal = new Removal(analysis, [...planned.values()]);
    const isThere = (index: number) => !removal.isGone(group.roots[alive[index]!]!);
    const proposals = judgements[i]!.filter(
      ({ unit, into = unit, also = unit }) => isThere(unit) && isThere(into) && isThere(also),
    );
    const gone = group.size - alive.filter((_, index) => isThere(index)).length;
    const { id, size } = group;
    const found = take({ id, size, gone, stay: mustStay(group), proposals }, budget);
    const { taken } = found;
    notes.push(...found.notes);
    if (wholeLayers && found.spared) spared.push(id);
    if (taken.length === 0) continue;
    const leaving = taken.flatMap(({ unit, into, also, score }): Omit<Proposal, 'also'>[] =>
      also === undefined
        ? [{ unit, ...(into !== undefined && { into }), score }]
        : [
            { unit, score },
            { unit: also, score },
          ],
    );
    addUnits(
      planned,
      group,
      leaving.map(({ unit, score }) => [alive[unit]!, score]),
    );
    const going = new Set(leaving.map(({ unit }) => unit));
    const survivors = alive.flatMap((_, index) => (isThere(index) && !going.has(index) ? [index] : []));
    const folded = await foldsOf(watched, compensation, leaving, survivors);
    folds.push(...folded.folds);
    notes.push(...folded.notes);
  }
  notes.push(...dropUnread(analysis, planned, mustStay));

  const removal = new Removal(analysis, [...planned.values()]);
  const { overdone } = removal;
  if (overdone)
    throw new Error(`[core] nothing would be left at ${overdone}: lower the budget or narrow the scope`);
  const whole = [...removal.emptied.gone].map(({ path }) => path);
  if (whole.length > 0) notes.push(`layers that go whole: ${whole.join(', ')}`);
  return {
    version: 1,
    model: { name: model.name, fingerprint: fingerprintOf(analysis) },
    pruner: pruner.name,
    compensation: compensation.name,
    groups: [...planned.values()],
    folds: folds.map((fold) => withoutGone(fold, analysis, removal)),
    cost: { before: analysis.cost, after: removal.cost },
    ...(spared.length > 0 && { spared }),
    notes,
  };
}

/** Whether the model can do without all units of a group, and those that are planned already. */
function canEmpty(
  analysis: Analysis,
  planned: ReadonlyMap<string, PlannedGroup>,
  { id, size }: AnalyzedGroup,
): boolean {
  const remove = Array.from({ length: size }, (_, unit) => unit);
  return new Removal(analysis, [...planned.values(), { id, remove }]).overdone === undefined;
}

function addUnits(
  planned: Map<string, PlannedGroup>,
  { id, kind, size }: AnalyzedGroup,
  units: readonly (readonly [unit: number, score: number | null])[],
): void {
  const remove = units.map(([unit]) => unit);
  const scores = units.map(([, score]) => score);
  planned.set(id, mergeGroups(planned.get(id), { id, kind, size, remove, scores }));
}

async function foldsOf(
  { group, alive, consumers }: Watch['groups'][number],
  compensation: Compensation,
  proposals: readonly Proposal[],
  survivors: readonly number[],
): Promise<{ folds: Fold[]; notes: string[] }> {
  const folds: Fold[] = [];
  const notes: string[] = [];
  if (!compensation.fold) return { folds, notes };
  for (const { layer, weight, hasBias, foldable, moments } of consumers) {
    if (!foldable) {
      notes.push(`${layer}/${weight} takes over nothing from the removed units of '${group.id}'`);
      continue;
    }
    const units = compensation.fold({
      proposals,
      survivors,
      ...(moments && { moments: await moments.read() }),
    });
    if (units.length === 0) continue;
    if (!hasBias && units.some(({ constants }) => constants)) {
      notes.push(`${layer} has no bias that could take over the means of the removed units of '${group.id}'`);
    }
    folds.push({
      group: group.id,
      layer,
      weight,
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

/** Units that nobody reads any more (channels without a feature left) go, too. */
function dropUnread(
  analysis: Analysis,
  planned: Map<string, PlannedGroup>,
  mustStay: (group: AnalyzedGroup) => number,
): string[] {
  const notes: string[] = [];
  // what nobody reads of a layer may be all that is read of the one before
  for (const group of [...analysis.groups].reverse()) {
    if (!group.prunable || !group.exact) continue;
    const gone = planned.get(group.id)?.remove.length ?? 0;
    const all = new Removal(analysis, [...planned.values()]).unread(group);
    if (all.length === 0) continue;
    const unread = all.slice(0, group.size - gone - mustStay(group));
    if (unread.length === 0) continue;
    addUnits(
      planned,
      group,
      unread.map((unit) => [unit, null]),
    );
    notes.push(`group '${group.id}': ${unread.length} units go because nothing reads them any more`);
  }
  return notes;
}
