import { take } from '@espalier/datasets';
import {
  checkTraining,
  type PruneEvent,
  type RunEvent,
  startEvent,
  type TrainOptions,
  type TrainPruning,
  type TrainResult,
  type TrainState,
  train,
} from '@espalier/trainer';
import { type RunFolder, runFolder } from '@espalier/trainer/node';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type ConfigOptions, configOf } from './config/file.ts';
import type { TrainConfig } from './config/schema.ts';
import { datasetRecord, type LoadedData, withTensors } from './data.ts';
import { makeFolder } from './files.ts';
import { finishRun, noteUnpruned } from './finish-run.ts';
import { interruptible } from './interrupt.ts';
import { measureNoise } from './measure.ts';
import { checkFit } from './model-file.ts';
import type { CommonOptions } from './options/common.ts';
import { optionsOf } from './options/data.ts';
import { checkNoiseFits, noiseRecord, trainedWith } from './options/noise.ts';
import { CALIBRATION } from './options/pruning.ts';
import { PlanFiles } from './plan-files.ts';
import { checkLayerRemoval, takeLayersOff } from './remove-layers-run.ts';
import { clearRun, keepSettings, removeRun } from './run-settings.ts';
import type { Result, Ui } from './ui.ts';

export interface TrainCommandOptions extends TrainConfig, ConfigOptions, CommonOptions {
  readonly resume?: boolean;
  readonly overwrite?: boolean;
}

/** A training, or a search, that is about to begin, or to go on. */
export interface Run {
  readonly options: TrainCommandOptions;
  /** The folder. */
  readonly out: string;
  readonly data: LoadedData;
  readonly engine: string;
  readonly seed: number;
  readonly epochs: number;
  readonly title: string;
}

export interface TrainRun extends Run {
  /** The phases of the pruning. */
  readonly prunings: readonly TrainPruning[];
}

/** Trains in the run's folder: the record grows and a checkpoint is kept as it goes. */
export async function trainRun(run: TrainRun, fresh: LayersModel, ui: Ui): Promise<Result> {
  const { options, out, data, epochs } = run;
  checkFit(fresh, data.dataset);
  checkLayerRemoval(options, data.dataset);
  checkNoiseFits(options, data.dataset.inputShape);
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
      const append = (event: RunEvent): Promise<void> => folder.append(event);
      const model = await takeLayersOff(trained.model, data.dataset, options, append, ui);
      return finish(run, folder, { ...trained, model }, ui);
    });
  } catch (error) {
    // what a run that goes on was left with is never thrown away
    if (done === 0 && !options.resume) await removeRun(out);
    throw error;
  }
}

/** A new folder, or that of the interrupted run with its last checkpoint. */
async function openFolder(
  run: TrainRun,
  model: LayersModel,
): Promise<{ readonly folder: RunFolder; readonly checkpoint?: TrainState }> {
  const { out, options } = run;
  if (options.resume) {
    const folder = await runFolder(out, { keep: true });
    const checkpoint = await folder.resume();
    if (checkpoint) return { folder, checkpoint };
  }
  return { folder: await newFolder(run, model) };
}

/** A folder with the run's options and the first event of its record. */
export async function newFolder(
  { options, out, data, engine, seed, title }: Run,
  model: LayersModel,
): Promise<RunFolder> {
  if (options.overwrite) await clearRun(out);
  await makeFolder(out);
  const folder = await runFolder(out);
  const { out: _, ...config } = configOf(options);
  await keepSettings(out, 'train', { ...config, ...optionsOf(data.spec) });
  const dataset = datasetRecord(data.dataset);
  await folder.append(startEvent(model, { title, seed, engine, dataset, ...noiseRecord(options) }));
  return folder;
}

/** All that does not need the data. */
function settingsOf({ options, seed, epochs, prunings }: TrainRun): TrainOptions {
  const { batchSize, earlyStopping, removal } = options;
  return {
    epochs,
    seed,
    ...(batchSize !== undefined && { batchSize }),
    ...(earlyStopping !== undefined && { earlyStopping: { patience: earlyStopping } }),
    ...(removal && { removal }),
    noise: trainedWith(options),
    pruning: prunings,
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
    options: { calibration = CALIBRATION },
    data: { dataset },
  } = run;
  const plans = new PlanFiles(folder);
  const settings = settingsOf(run);
  const progress = ui.progress(settings.epochs);
  const parts = {
    train: dataset.train,
    validation: dataset.validation,
    calibration: take(dataset.train, calibration),
  };
  try {
    return await withTensors(dataset, parts, ({ train: examples, validation, calibration: judged }) => {
      const pruning = run.prunings.map((one) => ({ ...one, calibration: judged }));
      return train(
        model,
        { train: examples, ...(dataset.validation.rows > 0 && { validation }) },
        {
          ...settings,
          ...(resume && { resume }),
          pruning,
          onProgress(epoch, done) {
            check();
            progress.update(epoch, done);
          },
          async onEvent(event) {
            await folder.append(event);
            if (event.type === 'epoch') progress.epochDone(event);
            if (event.type === 'prune') ui.note(pruneLine(event));
          },
          async onPlan(plan, epoch, before) {
            if ((await plans.paths()).length === 0) await measureUnpruned(run, folder, before);
            await plans.write(plan, epoch);
          },
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

/** Ahead of the first pruning: how the model bears noise, if that is asked for. */
async function measureUnpruned(
  { options: { noise: levels }, data: { dataset } }: TrainRun,
  folder: RunFolder,
  unpruned: LayersModel,
): Promise<void> {
  const noises = await withTensors(dataset, { test: 'test' }, ({ test }) =>
    measureNoise({ unpruned }, test, { levels, train: dataset.train, split: 'test' }),
  );
  for (const event of noises) await folder.append(event);
}

/** What a pruning removed, on one line. */
export const pruneLine = ({ pruner, groups, before, after }: PruneEvent): string => {
  const removed = groups.map((group) => `${group.id} ${group.before} to ${group.after}`);
  return `pruned by ${pruner}: ${removed.join(', ') || 'nothing'}; parameters ${before.params} to ${after.params}`;
};

async function finish(
  { options, data, seed, prunings }: TrainRun,
  folder: RunFolder,
  { model, stopped }: TrainResult,
  ui: Ui,
): Promise<Result> {
  const plans = await new PlanFiles(folder).paths();
  const stage = plans.length > 0 ? 'pruned and trained' : 'trained';
  const outcome = { model, stage, plans, ...(stopped !== undefined && { stopped }) };
  noteUnpruned(prunings, outcome, ui);
  return finishRun(folder, outcome, { data, seed, options }, ui);
}
