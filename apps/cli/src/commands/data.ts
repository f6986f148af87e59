import { formatBytes } from '@espalier/report';
import type { Command } from 'commander';
import { datasetRecord, loadData } from '../data.ts';
import { UsageError } from '../errors.ts';
import { examplesText } from '../examples.ts';
import { cacheFolder, findDatasets } from '../found-data.ts';
import { addCommonOptions, type CommonOptions } from '../options/common.ts';
import { addDataOptions, type DataOptions, dataset } from '../options/data.ts';
import type { Result, Ui } from '../ui.ts';

interface DataCommandOptions extends CommonOptions, DataOptions {}

export const addData = (program: Command, ui: Ui): void => {
  const command = program
    .command('data')
    .argument(
      '[name]',
      'mnist, letters, glyphs or csv:<path>: fetch and check it, and show examples',
      dataset,
    )
    .description('List the datasets, or fetch, check and show one.');
  addCommonOptions(addDataOptions(command)).action(
    async (name: DataOptions['dataset'], options: DataCommandOptions) => {
      if (options.dataset) throw new UsageError('name the dataset without --dataset: espalier data mnist');
      ui.print(name ? await show({ ...options, dataset: name }, ui) : await list(ui));
    },
  );
};

async function list(ui: Ui): Promise<Result> {
  const found = await findDatasets(ui.io);
  const { ESPALIER_DATA_DIR: dir } = ui.io.env;
  const entries = found.map(
    ({ name, description, classes, inputShape, bytes, found: where, source }): [string, ...string[]] => [
      name,
      description,
      [
        ...(classes === undefined ? [] : [`${classes} classes`]),
        ...(inputShape ? [`rows of ${inputShape.join('×')}`] : []),
        ...(bytes > 0 ? [formatBytes(bytes)] : []),
        where,
      ].join(', '),
      source,
    ],
  );
  return {
    json: { command: 'data', datasets: found, dataDir: dir ?? null, cacheDir: cacheFolder(ui.io) },
    text: `${ui.list(entries)}\nESPALIER_DATA_DIR: ${dir || 'not set'}\nDownloads go to ${cacheFolder(ui.io)}`,
  };
}

async function show(options: DataCommandOptions, ui: Ui): Promise<Result> {
  const { dataset: loaded, spec } = await loadData(options, ui);
  const { rows, ...about } = datasetRecord(loaded);
  const { inputShape } = loaded;
  const facts = ui.list([
    ['dataset', loaded.name],
    ['from', loaded.note ?? ''],
    ['a row', inputShape.join('×')],
    ['classes', `${loaded.classes.length}: ${loaded.classes.slice(0, 30).join(' ')}`],
    ['rows', `${rows.train} training, ${rows.validation} validation, ${rows.test} test`],
  ]);
  return {
    json: { command: 'data', ...about, rows, inputShape, options: spec.options },
    text: `${facts}\n${examplesText(loaded, ui)}`,
  };
}
