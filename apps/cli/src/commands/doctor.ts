import { findEngines } from '@espalier/engine';
import { version_core } from '@tensorflow/tfjs-core';
import { version_layers } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
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
  const engines = await findEngines();
  const datasets = await findDatasets(ui.io);
  const versions = {
    espalier: version(),
    node: process.versions.node,
    'tfjs-core': version_core,
    'tfjs-layers': version_layers,
  };
  const folders = { dataDir: ui.io.env.ESPALIER_DATA_DIR ?? null, cacheDir: cacheFolder(ui.io) };
  const best = engines.find(({ available }) => available)?.name ?? null;
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
      ui.list(
        engines.map(({ name, available, reason }) => [
          `engine ${name}`,
          available ? `works${name === best ? ', taken by auto' : ''}` : (reason ?? "can't be used"),
        ]),
      ),
      ui.list(found.map(({ name, found: where }) => [`dataset ${name}`, where])),
      ui.list([
        ['ESPALIER_DATA_DIR', folders.dataDir ?? 'not set'],
        ['downloads', folders.cacheDir],
      ]),
    ].join('\n'),
  };
}
