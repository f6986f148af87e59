import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Pruning } from '@espalier/core';
import { type EpochEvent, endEvent, type RunRecord, startEvent } from '@espalier/trainer';
import { type ConfigOptions, outOf } from './config/file.ts';
import type { PruneConfig } from './config/schema.ts';
import { datasetRecord, loadData } from './data.ts';
import { startEngine } from './engine.ts';
import { exportModel } from './export-model.ts';
import { writeFolder, writeJson } from './files.ts';
import { interruptible } from './interrupt.ts';
import { checkFit, compile, modelMetadata, openModel } from './model-file.ts';
import type { CommonOptions } from './options/common.ts';
import { wantsUnits } from './options/pruning.ts';
import { pruningNow } from './plan-file.ts';
import { accuracyLine, pruneModel } from './prune-model.ts';
import { checkLayerRemoval } from './remove-layers-run.ts';
import { readRecord, recordJson, recordText, writeReport } from './report.ts';
import { checkFree, clearRun } from './run-settings.ts';
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
  await unitsOf(options, 1);
  const engine = await startEngine(options, ui);
  const opened = await openModel(given);
  const { model, path } = opened;
  const seed = options.seed ?? opened.seed ?? 1;
  const { dataset, spec } = await loadData(options, ui, opened.data);
  checkFit(model, dataset);
  checkLayerRemoval(options, dataset);
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
          const pruning = await unitsOf(options, seed);
          const run = { options, dataset, pruning, seed, done: earlier.length, check };
          const { model: pruned, plan, events } = await pruneModel(run, model, ui);
          const metadata = { ...model.getUserDefinedMetadata(), ...modelMetadata(spec, seed) };
          const folder = join(temporary, 'model');
          const stored = await exportModel(pruned, folder, metadata, options, { dataset });
          for (const event of stored) ui.note(accuracyLine(event));
          const record = [start, ...earlier, ...events, ...stored, endEvent(pruned, start)];
          if (plan) await writeJson(join(temporary, 'plan.json'), plan);
          const lines = record.map((event) => `${JSON.stringify(event)}\n`);
          await writeFile(join(temporary, 'record.jsonl'), lines.join(''));
          if (report) await writeReport(temporary, record);
          const written = {
            model: join(out, 'model'),
            ...(plan && { plan: join(out, 'plan.json') }),
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

/** Which units go; none if only whole layers should. */
const unitsOf = async (options: PruneConfig, seed: number): Promise<Pruning | undefined> =>
  options.removeLayers === undefined || wantsUnits(options) ? pruningNow(options, seed) : undefined;

/** The epochs in which the model was trained, if its run's record lies beside it. */
async function trainingOf(model: string): Promise<EpochEvent[]> {
  const record = await readRecord(join(dirname(model), 'record.jsonl')).catch((): RunRecord => []);
  return record.filter((event): event is EpochEvent => event.type === 'epoch');
}
