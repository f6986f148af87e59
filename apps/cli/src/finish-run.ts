import { join } from 'node:path';
import { endEvent, type RunEvent, type TrainPruning } from '@espalier/trainer';
import type { RunFolder } from '@espalier/trainer/node';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type LoadedData, withTensors } from './data.ts';
import { exportModel } from './export-model.ts';
import { accuracyLine, measure, measureAll, measureNoise } from './measure.ts';
import { modelMetadata } from './model-file.ts';
import type { ExportOptions } from './options/export.ts';
import type { NoiseOptions } from './options/noise.ts';
import { readRecord, recordJson, recordText, writeReport } from './report.ts';
import type { Result, Ui } from './ui.ts';

/** What a run has come to. */
export interface Outcome {
  readonly model: LayersModel;
  /** What the model is called in the report, e.g. `trained`. */
  readonly stage: string;
  readonly stopped?: string;
  /** The plans that were written on the way. */
  readonly plans: readonly string[];
}

interface RunSettings {
  readonly data: LoadedData;
  readonly seed: number;
  /** Whether to draw a report, what noise to measure with, and how the model is written. */
  readonly options: ExportOptions & NoiseOptions & { readonly report?: boolean };
}

/** Measures the model that a training leaves, and writes all that is not in the run's folder yet. */
export async function finishRun(
  folder: RunFolder,
  { model, stage, stopped, plans }: Outcome,
  settings: RunSettings,
  ui: Ui,
): Promise<Result> {
  const { dataset, spec } = settings.data;
  const measured: RunEvent[] = await withTensors(
    dataset,
    { validation: 'validation', test: 'test' },
    async ({ validation, test }) => [
      ...(dataset.validation.rows > 0
        ? [await measure(model, validation, { stage, split: 'validation' })]
        : []),
      await measureAll(model, test, { stage, split: 'test' }),
      ...(await measureNoise({ [stage]: model }, test, {
        levels: settings.options.noise,
        train: dataset.train,
        split: 'test',
      })),
    ],
  );
  const metadata = modelMetadata(spec, settings.seed);
  const about = { command: 'train', plans };
  return endRun(
    folder,
    { model, measured, metadata, about, ...(stopped !== undefined && { stopped }) },
    settings,
    ui,
  );
}

/** Says why nothing went, if units should have gone on the way. */
export function noteUnpruned(
  prunings: readonly TrainPruning[],
  { plans, stopped }: Pick<Outcome, 'plans' | 'stopped'>,
  ui: Ui,
): void {
  if (prunings.length === 0 || plans.length > 0) return;
  if (stopped) ui.note(`nothing was pruned: the training stopped before (${stopped})`);
  else if (prunings.some(({ schedule }) => schedule?.allows))
    ui.note('nothing was pruned: validation accuracy was below --floor at every step');
}

/** What a run has come to, measured. */
export interface Ended {
  readonly model: LayersModel;
  readonly measured: readonly RunEvent[];
  readonly stopped?: string;
  /** What `model.json` keeps. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** What the result says first, in JSON. */
  readonly about: Readonly<Record<string, unknown>>;
}

/** Writes the model, the end of the record and the report; then the run is over. */
export async function endRun(
  folder: RunFolder,
  { model, measured, stopped, metadata, about }: Ended,
  { data, options }: Omit<RunSettings, 'seed'>,
  ui: Ui,
): Promise<Result> {
  const { report = true } = options;
  const path = join(folder.path, 'model');
  const stored = await exportModel(model, path, metadata, options, data);
  for (const event of stored) ui.note(accuracyLine(event));
  const [start] = await readRecord(folder.recordFile);
  for (const event of [...measured, ...stored]) await folder.append(event);
  if (start?.type === 'start') await folder.append(endEvent(model, start, stopped));
  const record = await readRecord(folder.recordFile);
  if (report) await writeReport(folder.path, record);
  await folder.finish();
  const written = {
    model: path,
    record: folder.recordFile,
    ...(report && { report: join(folder.path, 'report.html') }),
  };
  return {
    json: { ...about, ...written, ...recordJson(record) },
    text: `${recordText(record, ui)}\nModel:  ${path}\nReport: ${written.report ?? '(none)'}\n`,
  };
}
