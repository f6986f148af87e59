import { analyze, mask, type Plan, type Pruning } from '@espalier/core';
import { type Dataset, take } from '@espalier/datasets';
import {
  carryOut,
  type EvaluateEvent,
  type Examples,
  type PruneEvent,
  pruneEvent,
  type RunEvent,
  type SweepEvent,
  sweep,
  train,
  withoutLayers,
} from '@espalier/trainer';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { pruners } from './catalog/pruners.ts';
import type { PruneConfig } from './config/schema.ts';
import { withTensors } from './data.ts';
import { measureAll, measureLatencies } from './measure.ts';
import { CALIBRATION } from './options/pruning.ts';
import { makePlan } from './plan-file.ts';
import { takeLayersOff } from './remove-layers-run.ts';
import { pruneLine } from './train-run.ts';
import type { Ui } from './ui.ts';

/** How a model is pruned. */
export interface PruneRun {
  readonly options: PruneConfig;
  readonly dataset: Dataset;
  /** Which units go; none if only layers should. */
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
  readonly plan: Plan | undefined;
  readonly events: readonly RunEvent[];
}

type Latency = NonNullable<EvaluateEvent['latency']>;

/** Takes layers off, plans, removes units, fine-tunes; and measures the model at each stage. */
export async function pruneModel(run: PruneRun, model: LayersModel, ui: Ui): Promise<Pruned> {
  const { options, dataset, check } = run;
  return withTensors(dataset, { test: 'test' }, async ({ test }) => {
    const unpruned = await onTest(model, test, 'unpruned', ui);
    check();
    const tried: RunEvent[] = [];
    const left = await takeLayersOff(model, dataset, options, (event) => void tried.push(event), ui);
    check();
    const { model: pruned, plan, event, sweeps } = await removeUnits(run, left, ui);
    const [before, after] = await measureLatencies([model, pruned], test);
    const events = [
      { ...unpruned, latency: before! },
      ...tried,
      ...(event ? [event] : []),
      { ...(await onTest(pruned, test, 'pruned', ui)), latency: after! },
      ...sweeps,
    ];
    check();
    if (options.epochs === 0) return { model: pruned, plan, events };
    const tuned = await tune(run, pruned, ui);
    // of the same shape as before the fine-tuning, so as fast
    const end = { ...(await onTest(tuned.model, test, 'fine-tuned', ui)), latency: after! as Latency };
    return { model: tuned.model, plan, events: [...events, ...tuned.events, end] };
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

/** Fine-tunes on the training rows. */
async function tune(
  { options: { epochs = 1, batchSize, earlyStopping }, dataset, seed, done, check }: PruneRun,
  model: LayersModel,
  ui: Ui,
): Promise<{ readonly model: LayersModel; readonly events: readonly RunEvent[] }> {
  const progress = ui.progress(epochs);
  const parts = { examples: dataset.train, validation: dataset.validation };
  try {
    const tuned = await withTensors(dataset, parts, ({ examples, validation }) =>
      train(
        model,
        { train: examples, ...(dataset.validation.rows > 0 && { validation }) },
        {
          epochs,
          seed,
          ...(batchSize !== undefined && { batchSize }),
          ...(earlyStopping !== undefined && { earlyStopping: { patience: earlyStopping } }),
          onProgress(epoch, part) {
            check();
            progress.update(epoch, part);
          },
          onEvent(event) {
            if (event.type === 'epoch') progress.epochDone(event);
          },
        },
      ),
    );
    const events = tuned.events.map((event) =>
      event.type === 'epoch' ? { ...event, epoch: event.epoch + done } : event,
    );
    return { model: tuned.model, events };
  } finally {
    progress.stop();
  }
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

async function onTest(model: LayersModel, test: Examples, stage: string, ui: Ui): Promise<EvaluateEvent> {
  const event = await measureAll(model, test, { stage, split: 'test' });
  ui.note(accuracyLine(event));
  return event;
}

/** What was measured, on one line. */
export const accuracyLine = ({ stage, split, accuracy }: EvaluateEvent): string =>
  `${stage}: ${split} accuracy ${(accuracy * 100).toFixed(2)}%`;
