import type { EngineCandidate } from '@espalier/engine';
import { version_core } from '@tensorflow/tfjs-core';
import { version_layers } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import { engineReport } from '../engine.ts';
import { cacheFolder, findDatasets } from '../found-data.ts';
import { addCommonOptions } from '../options/common.ts';
import type { Result, Ui } from '../ui.ts';
import { version } from '../version.ts';

export const addDoctor = (program: Command, ui: Ui): void => {
  addCommonOptions(
    program.command('doctor').description('Say what Espalier finds here: Node, engines, datasets, folders.'),
  ).action(async () => ui.print(await examine(ui)));
};

async function examine(ui: Ui): Promise<Result> {
  const { name: best, candidates: engines } = await engineReport();
  const datasets = await findDatasets(ui.io);
  const versions = {
    espalier: version(),
    node: process.versions.node,
    'tfjs-core': version_core,
    'tfjs-layers': version_layers,
  };
  const folders = { dataDir: ui.io.env.ESPALIER_DATA_DIR ?? null, cacheDir: cacheFolder(ui.io) };
  const found = datasets.map(({ name, found: where }) => ({ name, found: where }));
  return {
    json: {
      command: 'doctor',
      versions,
      platform: `${process.platform} ${process.arch}`,
      engine: best,
      engines,
      datasets: found,
      ...folders,
    },
    text: [
      ui.list(Object.entries(versions)),
      ui.list(engines.map((engine) => [`engine ${engine.name}`, verdict(engine, best)])),
      ui.list(found.map(({ name, found: where }) => [`dataset ${name}`, where])),
      ui.list([
        ['ESPALIER_DATA_DIR', folders.dataDir ?? 'not set'],
        ['downloads', folders.cacheDir],
      ]),
    ].join('\n'),
  };
}

/** Whether an engine works, how fast it was where engines were compared, and whether `auto` takes it. */
function verdict({ name, available, reason, stepMs }: EngineCandidate, best: string): string {
  if (!available) return reason ?? "can't be used";
  const speed = stepMs === undefined ? '' : `, ${stepMs.toFixed(1)} ms for a step of a small network`;
  return `works${speed}${name === best ? ', taken by auto' : ''}`;
}
