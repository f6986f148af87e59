import { analyze, mask, type Plan, type Pruning } from '@espalier/core';
import { type Dataset, take } from '@espalier/datasets';
import {
  carryOut,
  type EvaluateEvent,
  type Examples,
  type NoiseEvent,
  type PruneEvent,
  pruneEvent,
  type RunEvent,
  type SweepEvent,
  sweep,
  withoutLayers,
} from '@espalier/trainer';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { pruners } from './catalog/pruners.ts';
import type { PruneConfig } from './config/schema.ts';
import { withTensors } from './data.ts';
import { accuracyLine, measureAll, measureLatencies, measureNoise } from './measure.ts';
import { CALIBRATION } from './options/pruning.ts';
import { makePlan } from './plan-file.ts';
import { zeroWeights } from './prune-weights-run.ts';
import { takeLayersOff } from './remove-layers-run.ts';
import { pruneLine } from './train-run.ts';
import type { Ui } from './ui.ts';

/** How a model is pruned. */
export interface PruneRun {
  readonly options: PruneConfig;
  readonly dataset: Dataset;
  /** Which units go before the fine-tuning; none if only layers should, or units go on the way. */
  readonly pruning: Pruning | undefined;
  readonly seed: number;
  /** The epochs of the training before. */
  readonly done: number;
  /** Throws if the user asked for an end. */
  check(): void;
}

/** What comes of it. */
export interface Pruned {
  readonly model: LayersModel;
  readonly plan?: Plan;
  readonly events: readonly RunEvent[];
}

/** Takes layers off, plans, removes units, zeroes single weights; and measures the model before and after. */
export async function pruneModel(run: PruneRun, model: LayersModel, ui: Ui): Promise<Pruned> {
  const { options, dataset, pruning, check } = run;
  return withTensors(dataset, { test: 'test' }, async ({ test }) => {
    const [unpruned, ...noises] = await onTest(model, test, { ...run, stage: 'unpruned' }, ui);
    check();
    const tried: RunEvent[] = [];
    const left = await takeLayersOff(model, dataset, options, (event) => void tried.push(event), ui);
    check();
    if (!pruning && left === model && !options.weights) return { model, events: [unpruned, ...noises] };
    const { model: pruned, plan, event, sweeps } = await removeUnits(run, left, ui);
    const zeroed = await zeroWeights(run, pruned, ui);
    check();
    const [before, after] = await measureLatencies([model, pruned], test);
    const [smaller, ...smallerNoises] = await onTest(pruned, test, { ...run, stage: 'pruned' }, ui);
    const events = [
      { ...unpruned, latency: before! },
      ...noises,
      ...tried,
      ...(event ? [event] : []),
      ...zeroed,
      { ...smaller, latency: after! },
      ...smallerNoises,
      ...sweeps,
    ];
    check();
    return { model: pruned, ...(plan && { plan }), events };
  });
}

interface UnitsRemoved {
  readonly model: LayersModel;
  readonly plan?: Plan;
  readonly event?: PruneEvent;
  readonly sweeps: readonly SweepEvent[];
}

async function removeUnits(run: PruneRun, model: LayersModel, ui: Ui): Promise<UnitsRemoved> {
  const { options, dataset, pruning, done, check } = run;
  if (!pruning) return { model, sweeps: [] };
  const plan = await makePlan(model, dataset, pruning, options);
  // before the model may be masked
  const sweeps = await sweepOf(run, pruning, model, plan, ui);
  check();
  const { calibration = CALIBRATION } = options;
  const { groups } = analyze(model);
  const { model: pruned, joined } =
    options.removal === 'mask'
      ? { model: await mask(model, plan), joined: [] }
      : await withTensors(dataset, { data: take(dataset.train, calibration) }, ({ data }) =>
          carryOut(model, plan, data),
        );
  const event = withoutLayers(pruneEvent(plan, done), groups, joined, pruned);
  ui.note(pruneLine(event));
  return { model: pruned, plan, event, sweeps };
}

/** Accuracy up to what the plan removes, beside that of random units, if it is asked for. */
async function sweepOf(
  { options: { calibration = CALIBRATION, sweep: wanted = true }, dataset, seed }: PruneRun,
  { pruner, compensation }: Pruning,
  model: LayersModel,
  { groups }: Plan,
  ui: Ui,
): Promise<SweepEvent[]> {
  // units that follow from others have no score of their own
  const chosen = groups.filter(({ scores }) => scores.some((score) => score !== null));
  if (!wanted || dataset.validation.rows === 0 || chosen.length === 0) return [];
  ui.note('measuring accuracy against units removed, on validation data');
  const counts = Object.fromEntries(chosen.map(({ id, remove }) => [id, remove.length]));
  const parts = { data: take(dataset.train, calibration), validation: dataset.validation };
  return withTensors(dataset, parts, async ({ data, validation }) => {
    const settings = { counts, examples: validation, split: 'validation', calibration: data } as const;
    const own = { pruner, ...(compensation && { compensation }) };
    const baseline = pruners.random.make({}, seed);
    return [
      ...(await sweep(model, { ...settings, ...own, series: pruner.name })),
      ...(pruner.name === baseline.name
        ? []
        : await sweep(model, { ...settings, pruner: baseline, series: baseline.name })),
    ];
  });
}

/** Measures a model on the test rows, without noise and with what is asked for. */
export async function onTest(
  model: LayersModel,
  test: Examples,
  { options, dataset, stage }: Pick<PruneRun, 'options' | 'dataset'> & { readonly stage: string },
  ui: Ui,
): Promise<[EvaluateEvent, ...NoiseEvent[]]> {
  const split = 'test';
  const event = await measureAll(model, test, { stage, split });
  ui.note(accuracyLine(event));
  const { noise: levels } = options;
  return [event, ...(await measureNoise({ [stage]: model }, test, { levels, train: dataset.train, split }))];
}
