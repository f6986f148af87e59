import { join, relative, resolve } from 'node:path';
import { holdZeros } from '@espalier/core';
import {
  checkTraining,
  type EvaluateEvent,
  type RunEvent,
  startEvent,
  type TrainState,
} from '@espalier/trainer';
import { type RunFolder, runFolder } from '@espalier/trainer/node';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type ConfigOptions, configOf, outOf } from './config/file.ts';
import type { PruneConfig } from './config/schema.ts';
import { datasetRecord, type LoadedData, loadData, withTensors } from './data.ts';
import { startEngine } from './engine.ts';
import { UsageError } from './errors.ts';
import { makeFolder, writeJson } from './files.ts';
import { endRun, noteUnpruned } from './finish-run.ts';
import { interruptible } from './interrupt.ts';
import { checkFit, compile, modelMetadata, type OpenedModel, openModel } from './model-file.ts';
import type { CommonOptions } from './options/common.ts';
import { optionsOf } from './options/data.ts';
import { teacherOf } from './options/distillation.ts';
import { checkNoiseFits, noiseRecord } from './options/noise.ts';
import { phasesOf, saysWhen } from './options/phases.ts';
import { wantsUnits } from './options/pruning.ts';
import { pruningNow } from './plan-file.ts';
import { PlanFiles } from './plan-files.ts';
import { onTest, pruneModel } from './prune-model.ts';
import { checkLayerRemoval } from './remove-layers-run.ts';
import { epochsBeside, readRecord } from './report.ts';
import { checkFree, clearRun, keepSettings, readSettings, removeRun, runIn } from './run-settings.ts';
import { startOf, type TuneRun, tune, tuningOf } from './tune.ts';
import type { Result, Ui } from './ui.ts';

export interface PruneCommandOptions extends PruneConfig, ConfigOptions, CommonOptions {
  readonly resume?: boolean;
  readonly overwrite?: boolean;
}

/** A run's options, with the model that it began with. */
interface RunOptions extends PruneCommandOptions {
  readonly source: string;
}

/** A run with all that it works on. */
interface OpenedRun extends TuneRun {
  readonly options: RunOptions;
  readonly out: string;
  readonly opened: OpenedModel;
  readonly data: LoadedData;
  readonly engine: string;
}

/** All of it in one go. Nothing is written before the fine-tuning begins; from then on it can go on. */
export async function pruneRun(
  given: string | undefined,
  options: PruneCommandOptions,
  ui: Ui,
): Promise<Result> {
  const run = await runOptions(given, options);
  const { epochs = 1 } = run;
  const out = outOf(run);
  // before the model is read: the command line's own faults come first
  await askedOf(run, 1);
  let kept: number | undefined;
  const advice = (): string =>
    kept === undefined
      ? 'nothing was written'
      : `epoch ${kept} of ${epochs} is kept, go on with: espalier prune --out ${out} --resume`;
  const keep = (epoch: number): void => {
    kept = epoch;
  };
  let isOpen = false;
  try {
    return await interruptible(ui.io, advice, async (check) => {
      const opened = await openRun(run, check, ui);
      const found = options.resume ? await checkpointOf(run) : undefined;
      if (found) ui.note(`Going on after epoch ${found.state.epoch} of ${epochs}`);
      const { folder, state } = found ?? (await begin(opened, ui, () => (isOpen = true)));
      if (epochs === 0) return finish(opened, folder, state, ui);
      keep(state.epoch);
      return finish(opened, folder, await tune(opened, { folder, state, onCheckpoint: keep }, ui), ui);
    });
  } catch (error) {
    // what a run can go on from is never thrown away
    if (isOpen && kept === undefined) await removeRun(out);
    throw error;
  }
}

/** The options of a new run, or of the one that goes on. */
async function runOptions(given: string | undefined, options: PruneCommandOptions): Promise<RunOptions> {
  const out = outOf(options);
  if (!options.resume) {
    if (given === undefined) throw new UsageError("missing required argument 'model'");
    await checkFree(out, options.overwrite);
    return { ...options, source: resolve(given) };
  }
  if (given !== undefined) throw new UsageError('--resume goes on with the model of its run: leave it out');
  if ((await runIn(out)) === 'finished')
    throw new UsageError(`the run in ${out} is finished: there is nothing to resume`);
  return { ...(await readSettings<RunOptions>(out, 'prune')), ...options };
}

/** Which units go, before the fine-tuning or on its way; none if only whole layers or single weights should. */
async function askedOf(options: RunOptions, seed: number): Promise<Pick<TuneRun, 'pruning' | 'prunings'>> {
  const { epochs = 1, latency, distill, trainNoise, removeLayers, weights } = options;
  if (epochs === 0 && (distill || trainNoise || saysWhen(options)))
    throw new UsageError(
      '--epochs 0 does not fine-tune: leave out --distill, --train-noise, and when to prune',
    );
  if (!saysWhen(options)) {
    const isAsked = (removeLayers ?? weights) === undefined || wantsUnits(options);
    return { pruning: isAsked ? await pruningNow(options, seed) : undefined, prunings: [] };
  }
  if (latency !== undefined)
    throw new UsageError('--latency is met at once: leave out when to prune, or give --macs instead');
  // what goes over to the survivors would fill zeros again
  if (weights)
    throw new UsageError(
      '--weights zeroes what is left once the units have gone: leave out when to prune, or prune what comes of it again',
    );
  return { pruning: undefined, prunings: await phasesOf(options, seed, epochs) };
}

/** Opens the model, and the data that it remembers. */
async function openRun(options: RunOptions, check: () => void, ui: Ui): Promise<OpenedRun> {
  const engine = await startEngine(options, ui);
  const opened = await openModel(options.source);
  const { model, path } = opened;
  const seed = options.seed ?? opened.seed ?? 1;
  const data = await loadData(options, ui, opened.data);
  checkFit(model, data.dataset);
  checkLayerRemoval(options, data.dataset);
  checkNoiseFits(options, data.dataset.inputShape);
  compile(model, options);
  return {
    ...{ options, out: outOf(options), opened, data, dataset: data.dataset, engine, seed, check },
    ...(await askedOf(options, seed)),
    // the model itself may be masked or trained by the time that it should teach
    teacher: options.distill ? (await openModel(options.source)).model : undefined,
    done: (await epochsBeside(path)).length,
  };
}

/** The folder of an interrupted run, if it came to its first checkpoint. */
async function checkpointOf(
  options: RunOptions,
): Promise<{ readonly folder: RunFolder; readonly state: TrainState } | undefined> {
  const folder = await runFolder(outOf(options), { keep: true });
  const state = await folder.resume();
  if (state && options.weights) holdZeros(state.model);
  return state && { folder, state };
}

/** Removes what goes before the fine-tuning, and opens the run's folder; `onOpen` is told before anything is written. */
async function begin(
  run: OpenedRun,
  ui: Ui,
  onOpen: () => void,
): Promise<{ readonly folder: RunFolder; readonly state: TrainState }> {
  const { options, out, opened, data, engine, seed } = run;
  const { model, path } = opened;
  const title = `Pruning ${relative('', options.source)} on ${data.dataset.name}`;
  const start = startEvent(model, {
    ...{ title, seed, engine, dataset: datasetRecord(data.dataset) },
    ...noiseRecord(options),
    ...(options.distill && { teacher: teacherOf(options.distill) }),
  });
  const earlier = await epochsBeside(path);
  const { model: pruned, plan, events } = await pruneModel(run, model, ui);
  const { epochs = 1, overwrite, resume } = options;
  // before an earlier run makes room
  if (epochs > 0) checkTraining(pruned, tuningOf(run));
  onOpen();
  if (overwrite || resume) await clearRun(out);
  await makeFolder(out);
  const folder = await runFolder(out);
  const { out: _, ...config } = configOf(options);
  await keepSettings(out, 'prune', { ...config, ...optionsOf(data.spec) });
  for (const event of [start, ...earlier, ...events]) await folder.append(event);
  if (plan) await writeJson(join(out, 'plan.json'), plan);
  const state = startOf(pruned);
  if (epochs > 0) await folder.checkpoint(state);
  return { folder, state };
}

/** Measures what came of it, and writes all that is not in the folder yet. */
async function finish(
  run: OpenedRun,
  folder: RunFolder,
  { model, stopped }: Pick<TrainState, 'model'> & { readonly stopped?: string },
  ui: Ui,
): Promise<Result> {
  const { options, opened, data, seed, prunings } = run;
  const plans = await new PlanFiles(folder).paths();
  noteUnpruned(prunings, { plans, ...(stopped !== undefined && { stopped }) }, ui);
  const about = {
    command: 'prune',
    from: opened.path,
    ...(prunings.length > 0 && { plans }),
    ...(run.pruning && { plan: join(folder.path, 'plan.json') }),
  };
  const measured = options.epochs === 0 ? [] : await measureTuned(run, folder, model, ui);
  const metadata = { ...opened.model.getUserDefinedMetadata(), ...modelMetadata(data.spec, seed) };
  const ended = { model, measured, metadata, about, ...(stopped !== undefined && { stopped }) };
  return endRun(folder, ended, { data, options }, ui);
}

async function measureTuned(
  run: OpenedRun,
  folder: RunFolder,
  model: LayersModel,
  ui: Ui,
): Promise<RunEvent[]> {
  const [event, ...noises] = await withTensors(run.dataset, { test: 'test' }, ({ test }) =>
    onTest(model, test, { ...run, stage: 'fine-tuned' }, ui),
  );
  const isPruned = (one: RunEvent): one is EvaluateEvent => one.type === 'evaluate' && one.stage === 'pruned';
  const latency = (await readRecord(folder.recordFile)).findLast(isPruned)?.latency;
  // of the same shape as before the fine-tuning, so as fast
  return [run.prunings.length === 0 && latency ? { ...event, latency } : event, ...noises];
}
