import type { EngineCandidate, EngineReport } from '@espalier/engine';
import { formatMilliseconds } from '@espalier/report';
import { version_core } from '@tensorflow/tfjs-core';
import { version_layers } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import { engineReport } from '../engine.ts';
import { cacheFolder, findDatasets } from '../found-data.ts';
import { openModel } from '../model-file.ts';
import { addCommonOptions, type CommonOptions } from '../options/common.ts';
import type { Result, Ui } from '../ui.ts';
import { version } from '../version.ts';

interface DoctorOptions extends CommonOptions {
  readonly model?: string;
}

export const addDoctor = (program: Command, ui: Ui): void => {
  const command = program
    .command('doctor')
    .description('Say what Espalier finds here: Node, engines, datasets, folders.')
    .option('--model <path>', 'compare the engines by training steps of this model');
  addCommonOptions(command).action(async (options: DoctorOptions) => ui.print(await examine(options, ui)));
};

async function examine({ model }: DoctorOptions, ui: Ui): Promise<Result> {
  const engines = await engineReport(model === undefined ? undefined : () => openModel(model));
  const datasets = await findDatasets(ui.io);
  const versions = {
    espalier: version(),
    node: process.versions.node,
    'tfjs-core': version_core,
    'tfjs-layers': version_layers,
  };
  const folders = { dataDir: ui.io.env.ESPALIER_DATA_DIR ?? null, cacheDir: cacheFolder(ui.io) };
  const found = datasets.map(({ name, found: where }) => ({ name, found: where }));
  const { comparison } = engines;
  return {
    json: {
      command: 'doctor',
      versions,
      platform: `${process.platform} ${process.arch}`,
      engine: engines.name,
      engines: engines.candidates,
      ...(comparison && { comparison: { model: model ?? null, ...comparison } }),
      datasets: found,
      ...folders,
    },
    text: [
      ui.list(Object.entries(versions)),
      ui.list([
        ...engines.candidates.map((one) => [`engine ${one.name}`, verdict(one, engines)] as const),
        ['compared', comparisonText(engines, model)],
      ]),
      ui.list(found.map(({ name, found: where }) => [`dataset ${name}`, where])),
      ui.list([
        ['ESPALIER_DATA_DIR', folders.dataDir ?? 'not set'],
        ['cache', folders.cacheDir],
      ]),
    ].join('\n'),
  };
}

/** Whether an engine works, how fast it was, and whether `auto` takes it or why not. */
function verdict(
  { name, available, reason, stepMs }: EngineCandidate,
  { name: taken }: EngineReport,
): string {
  if (!available) return reason ?? "can't be used";
  const speed = stepMs === undefined ? '' : `${formatMilliseconds(stepMs)} for a training step, `;
  if (name === taken) return `works, ${speed}taken by auto`;
  if (stepMs !== undefined) return `works, ${speed}slower than ${taken}`;
  return name === 'cpu'
    ? 'works, but slow: taken where nothing else works'
    : `works, but ${taken} is preferred`;
}

/** By what, when and whether anew the engines were compared. */
function comparisonText({ name, comparison }: EngineReport, model: string | undefined): string {
  if (!comparison) return `no: nothing else here is as fast as ${name}`;
  const { at, cached, failed } = comparison;
  const by = model === undefined ? 'a small network (--model takes yours)' : model;
  if (failed !== undefined) return `no: ${by} could be trained on none of them: ${failed}`;
  return `by training steps of ${by}, ${cached ? `from the cache of ${at.slice(0, 10)}` : 'now'}`;
}
