import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Plan, type Pruning, shrink } from '@espalier/core';
import { type Dataset, take } from '@espalier/datasets';
import { saveModel } from '@espalier/engine';
import {
  type EpochEvent,
  type EvaluateEvent,
  type Examples,
  endEvent,
  pruneEvent,
  type RunEvent,
  type RunRecord,
  type SweepEvent,
  startEvent,
  sweep,
  train,
} from '@espalier/trainer';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { pruners } from './catalog/pruners.ts';
import { type ConfigOptions, outOf } from './config/file.ts';
import type { PruneConfig } from './config/schema.ts';
import { datasetRecord, loadData, withTensors } from './data.ts';
import { startEngine } from './engine.ts';
import { writeFolder, writeJson } from './files.ts';
import { interruptible } from './interrupt.ts';
import { measureAll, measureLatencies } from './measure.ts';
import { checkFit, compile, modelMetadata, openModel } from './model-file.ts';
import type { CommonOptions } from './options/common.ts';
import { CALIBRATION } from './options/pruning.ts';
import { makePlan, pruningNow } from './plan-file.ts';
import { readRecord, recordJson, recordText, writeReport } from './report.ts';
import { checkFree, clearRun } from './run-settings.ts';
import { pruneLine } from './train-run.ts';
import type { Result, Ui } from './ui.ts';

export interface PruneCommandOptions extends PruneConfig, ConfigOptions, CommonOptions {
  readonly overwrite?: boolean;
}

/** All of it in one go; the folder is filled at the end, or not at all. */
export async function pruneRun(given: string, options: PruneCommandOptions, ui: Ui): Promise<Result> {
  const { report = true } = options;
  const out = outOf(options);
  await checkFree(out, options.overwrite);
  // before the model is read: the command line's own faults come first
  await pruningNow(options, 1);
  const engine = await startEngine(options, ui);
  const opened = await openModel(given);
  const { model, path } = opened;
  const seed = options.seed ?? opened.seed ?? 1;
  const { dataset, spec } = await loadData(options, ui, opened.data);
  checkFit(model, dataset);
  compile(model, options);

  const title = `Pruning ${given} on ${dataset.name}`;
  const start = startEvent(model, { title, seed, engine, dataset: datasetRecord(dataset) });
  return interruptible(
    ui.io,
    () => 'nothing was written',
    (check) =>
      writeFolder(
        out,
        async (temporary) => {
          const earlier = await trainingOf(path);
          const run = {
            options,
            dataset,
            pruning: await pruningNow(options, seed),
            seed,
            done: earlier.length,
            check,
          };
          const { pruned, plan, events } = await pruneAndTune(run, model, ui);
          const record = [start, ...earlier, ...events, endEvent(pruned, start)];
          const metadata = { ...model.getUserDefinedMetadata(), ...modelMetadata(spec, seed) };
          await saveModel(pruned, join(temporary, 'model'), { metadata });
          await writeJson(join(temporary, 'plan.json'), plan);
          const lines = record.map((event) => `${JSON.stringify(event)}\n`);
          await writeFile(join(temporary, 'record.jsonl'), lines.join(''));
          if (report) await writeReport(temporary, record);
          const written = {
            model: join(out, 'model'),
            plan: join(out, 'plan.json'),
            record: join(out, 'record.jsonl'),
            ...(report && { report: join(out, 'report.html') }),
          };
          return {
            json: { command: 'prune', from: path, ...written, ...recordJson(record) },
            text: `${recordText(record, ui)}\nModel:  ${written.model}\nReport: ${written.report ?? '(none)'}\n`,
          };
        },
        async () => {
          if (options.overwrite) await clearRun(out);
        },
      ),
  );
}

interface PruneRun {
  readonly options: PruneCommandOptions;
  readonly dataset: Dataset;
  readonly pruning: Pruning;
  readonly seed: number;
  /** The epochs of the training before. */
  readonly done: number;
  check(): void;
}

/** The epochs in which the model was trained, if its run's record lies beside it. */
async function trainingOf(model: string): Promise<EpochEvent[]> {
  const record = await readRecord(join(dirname(model), 'record.jsonl')).catch((): RunRecord => []);
  return record.filter((event): event is EpochEvent => event.type === 'epoch');
}

async function pruneAndTune(
  { options, dataset, pruning, seed, done, check }: PruneRun,
  model: LayersModel,
  ui: Ui,
): Promise<{ readonly pruned: LayersModel; readonly plan: Plan; readonly events: readonly RunEvent[] }> {
  const { epochs = 1, batchSize, earlyStopping } = options;
  const { train: trainRows, validation: validationRows, test: testRows } = dataset;
  const parts = { examples: trainRows, validation: validationRows, test: testRows };
  return withTensors(dataset, parts, async ({ examples, validation, test }) => {
    const unpruned = await onTest(model, test, 'unpruned', ui);
    check();
    const plan = await makePlan(model, dataset, pruning, options);
    const pruned = await shrink(model, plan);
    const removal = pruneEvent(plan, done);
    ui.note(pruneLine(removal));
    const [before, after] = await measureLatencies([model, pruned], test);
    const events: RunEvent[] = [
      { ...unpruned, latency: before! },
      removal,
      { ...(await onTest(pruned, test, 'pruned', ui)), latency: after! },
    ];
    check();
    if ((options.sweep ?? true) && validationRows.rows > 0) {
      ui.note('measuring accuracy against units removed, on validation data');
      events.push(...(await sweepOf(model, plan, pruning, { validation, dataset, options, seed })));
      check();
    }
    if (epochs === 0) return { pruned, plan, events };
    const progress = ui.progress(epochs);
    try {
      const tuned = await train(
        pruned,
        { train: examples, ...(validationRows.rows > 0 && { validation }) },
        {
          epochs,
          seed,
          ...(batchSize !== undefined && { batchSize }),
          ...(earlyStopping !== undefined && { earlyStopping: { patience: earlyStopping } }),
          onProgress(epoch, done) {
            check();
            progress.update(epoch, done);
          },
          onEvent(event) {
            if (event.type === 'epoch') progress.epochDone(event);
          },
        },
      );
      const epochEvents = tuned.events.map((event) =>
        event.type === 'epoch' ? { ...event, epoch: event.epoch + done } : event,
      );
      // of the same shape as before the fine-tuning, so as fast
      events.push(...epochEvents, {
        ...(await onTest(tuned.model, test, 'fine-tuned', ui)),
        latency: after!,
      });
      return { pruned: tuned.model, plan, events };
    } finally {
      progress.stop();
    }
  });
}

/** Accuracy up to what the plan removes, beside that of random units. */
async function sweepOf(
  model: LayersModel,
  { groups }: Plan,
  { pruner, compensation }: Pruning,
  {
    validation,
    dataset,
    seed,
    options: { calibration = CALIBRATION },
  }: Pick<PruneRun, 'dataset' | 'seed' | 'options'> & { readonly validation: Examples },
): Promise<SweepEvent[]> {
  // units that follow from others have no score of their own
  const chosen = groups.filter(({ scores }) => scores.some((score) => score !== null));
  if (chosen.length === 0) return [];
  const counts = Object.fromEntries(chosen.map(({ id, remove }) => [id, remove.length]));
  return withTensors(dataset, { data: take(dataset.train, calibration) }, async ({ data }) => {
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
  ui.note(`${stage}: test accuracy ${(event.accuracy * 100).toFixed(2)}%`);
  return event;
}
