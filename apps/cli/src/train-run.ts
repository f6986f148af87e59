import { join } from 'node:path';
import { everyEpochs, type Pruning } from '@espalier/core';
import { take } from '@espalier/datasets';
import { saveModel } from '@espalier/engine';
import {
  checkTraining,
  endEvent,
  type PruneEvent,
  type RunEvent,
  startEvent,
  type TrainOptions,
  type TrainResult,
  type TrainState,
  train,
} from '@espalier/trainer';
import { type RunFolder, runFolder } from '@espalier/trainer/node';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { datasetRecord, type LoadedData, withTensors } from './data.ts';
import { makeFolder, writeJson } from './files.ts';
import { interruptible } from './interrupt.ts';
import { measure, measureAll } from './measure.ts';
import { checkFit, modelMetadata } from './model-file.ts';
import type { EngineOptions } from './options/common.ts';
import { type DataOptions, optionsOf } from './options/data.ts';
import type { ModelOptions } from './options/model.ts';
import { CALIBRATION, type PruningOptions } from './options/pruning.ts';
import type { TrainingOptions } from './options/training.ts';
import { readRecord, recordJson, recordText, writeReport } from './report.ts';
import { clearRun, keepSettings, removeRun, rewindRecord } from './run-settings.ts';
import type { Result, Ui } from './ui.ts';

export interface TrainCommandOptions
  extends EngineOptions,
    DataOptions,
    ModelOptions,
    TrainingOptions,
    PruningOptions {
  readonly out: string;
  readonly every?: number;
  readonly until?: number;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly report: boolean;
}

/** A training that is about to begin, or to go on. */
export interface TrainRun {
  readonly options: TrainCommandOptions;
  readonly data: LoadedData;
  readonly engine: string;
  readonly seed: number;
  readonly epochs: number;
  readonly pruning: Pruning | undefined;
  readonly title: string;
}

/** Trains in the run's folder: the record grows and a checkpoint is kept as it goes. */
export async function trainRun(run: TrainRun, fresh: LayersModel, ui: Ui): Promise<Result> {
  const { options, data, epochs } = run;
  const { out } = options;
  checkFit(fresh, data.dataset);
  // before an earlier run makes room
  checkTraining(fresh, settingsOf(run));
  let done = 0;
  const advice = (): string =>
    done > 0
      ? `epoch ${done} of ${epochs} is kept, go on with: espalier train --out ${out} --resume`
      : 'no epoch was done and nothing is kept';
  try {
    return await interruptible(ui.io, advice, async (check) => {
      const { folder, checkpoint } = await openFolder(run, fresh);
      if (checkpoint) ui.note(`Going on after epoch ${checkpoint.epoch} of ${epochs}`);
      done = checkpoint?.epoch ?? 0;
      const trained = await trainEpochs(
        run,
        folder,
        { model: checkpoint?.model ?? fresh, resume: checkpoint },
        ui,
        {
          check,
          onCheckpoint: (epoch) => {
            done = epoch;
          },
        },
      );
      return finish(run, folder, trained, ui);
    });
  } catch (error) {
    // what a run that goes on was left with is never thrown away
    if (done === 0 && !options.resume) await removeRun(out);
    throw error;
  }
}

/** A new folder, or that of the interrupted run with its last checkpoint. */
async function openFolder(
  { options, data, engine, seed, title }: TrainRun,
  model: LayersModel,
): Promise<{ readonly folder: RunFolder; readonly checkpoint?: TrainState }> {
  const { out, resume: resuming, overwrite, json: _, debug: __, ...settings } = options;
  if (resuming) {
    const folder = await runFolder(out, { keep: true });
    const checkpoint = await folder.resume();
    if (checkpoint) {
      await rewindRecord(folder.recordFile, checkpoint.epoch);
      return { folder, checkpoint };
    }
  }
  if (overwrite) await clearRun(out);
  await makeFolder(out);
  const folder = await runFolder(out);
  await keepSettings(out, { ...settings, ...optionsOf(data.spec) });
  await folder.append(
    startEvent(model, { title: `Training ${title}`, seed, engine, dataset: datasetRecord(data.dataset) }),
  );
  return { folder };
}

/** All that does not need the data. */
function settingsOf({ options, seed, epochs, pruning }: TrainRun): TrainOptions {
  const { batchSize, earlyStopping, every = 1 } = options;
  // pruning after the last epoch would leave nothing to recover in
  const until = options.until ?? (epochs > 1 ? 0.7 : 1);
  return {
    epochs,
    seed,
    ...(batchSize !== undefined && { batchSize }),
    ...(earlyStopping !== undefined && { earlyStopping: { patience: earlyStopping } }),
    ...(pruning && { pruning: { ...pruning, schedule: everyEpochs({ every, until }) } }),
  };
}

interface Watching {
  check(): void;
  onCheckpoint(epoch: number): void;
}

async function trainEpochs(
  run: TrainRun,
  folder: RunFolder,
  { model, resume }: { readonly model: LayersModel; readonly resume: TrainState | undefined },
  ui: Ui,
  { check, onCheckpoint }: Watching,
): Promise<TrainResult> {
  const {
    options: { out, calibration = CALIBRATION },
    data: { dataset },
  } = run;
  const settings = settingsOf(run);
  const progress = ui.progress(settings.epochs);
  const parts = {
    train: dataset.train,
    validation: dataset.validation,
    calibration: take(dataset.train, calibration),
  };
  try {
    return await withTensors(dataset, parts, ({ train: examples, validation, calibration: judged }) => {
      const pruning = settings.pruning && { ...settings.pruning, calibration: judged };
      return train(
        model,
        { train: examples, ...(dataset.validation.rows > 0 && { validation }) },
        {
          ...settings,
          ...(resume && { resume }),
          ...(pruning && { pruning }),
          onProgress(epoch, done) {
            check();
            progress.update(epoch, done);
          },
          async onEvent(event) {
            await folder.append(event);
            if (event.type === 'epoch') progress.epochDone(event);
            if (event.type === 'prune') ui.note(pruneLine(event));
          },
          onPlan: (plan, epoch) => writeJson(planFile(out, epoch), plan),
          async onEpochEnd(state) {
            await folder.checkpoint(state);
            onCheckpoint(state.epoch);
          },
        },
      );
    });
  } finally {
    progress.stop();
  }
}

const planFile = (out: string, epoch: number): string => join(out, 'plans', `epoch-${epoch}.json`);

export const pruneLine = ({ pruner, groups, before, after }: PruneEvent): string =>
  `pruned by ${pruner}: ${groups.map((group) => `${group.id} ${group.before} to ${group.after}`).join(', ') || 'nothing'}; ` +
  `parameters ${before.params} to ${after.params}`;

/** Measures what came out, saves it, and closes the run. */
async function finish(
  { options: { out, report }, data: { dataset, spec }, seed }: TrainRun,
  folder: RunFolder,
  { model, stopped }: TrainResult,
  ui: Ui,
): Promise<Result> {
  // what happened before an interruption is in there, too
  const soFar = await readRecord(folder.recordFile);
  const plans = soFar.flatMap((event) => (event.type === 'prune' ? [planFile(out, event.epoch)] : []));
  const stage = plans.length > 0 ? 'pruned and trained' : 'trained';
  const measured: RunEvent[] = await withTensors(
    dataset,
    { validation: 'validation', test: 'test' },
    async ({ validation, test }) => [
      ...(dataset.validation.rows > 0
        ? [await measure(model, validation, { stage, split: 'validation' })]
        : []),
      await measureAll(model, test, { stage, split: 'test' }),
    ],
  );
  const path = join(out, 'model');
  // a checkpoint's own
  model.setUserDefinedMetadata({});
  await saveModel(model, path, { metadata: modelMetadata(spec, seed) });
  const [start] = soFar;
  for (const event of measured) await folder.append(event);
  if (start?.type === 'start') await folder.append(endEvent(model, start, stopped));
  const record = await readRecord(folder.recordFile);
  if (report) await writeReport(out, record);
  await folder.finish();
  const written = {
    model: path,
    plans,
    record: folder.recordFile,
    ...(report && { report: join(out, 'report.html') }),
  };
  return {
    json: { command: 'train', ...written, ...recordJson(record) },
    text: `${recordText(record, ui)}\nModel:  ${path}\nReport: ${written.report ?? '(none)'}\n`,
  };
}
