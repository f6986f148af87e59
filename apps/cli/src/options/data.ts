import { type DatasetName, datasets } from '@espalier/datasets';
import { type Command, InvalidArgumentError } from 'commander';
import { oneOf, suggest, whole } from '../parse.ts';

/** The options that a model remembers of its dataset, by the names that the datasets have for them. */
export interface DatasetSettings {
  readonly path?: string;
  readonly limit?: number;
  readonly validation?: number;
  readonly split?: '70:15:15' | '80:20';
  readonly normalize?: 'unit' | 'standard';
  readonly of?: 'digits' | 'letters';
  readonly as?: 'images' | 'features';
  readonly rows?: number;
  readonly label?: string;
  readonly header?: boolean;
  readonly delimiter?: string;
  readonly seed?: number;
}

/** Which dataset. */
export interface DataSpec {
  readonly name: DatasetName;
  readonly options: DatasetSettings;
}

export interface DataOptions extends Omit<DatasetSettings, 'path' | 'seed'> {
  /** `mnist`, or `csv:<path>`. */
  readonly dataset?: string;
  readonly dataSeed?: number;
  readonly offline?: boolean;
}

export const datasetNames: readonly DatasetName[] = Object.keys(datasets) as DatasetName[];

/** What `mnist`, or `csv:<path>`, means. */
export const splitDataset = (text: string): { readonly name: DatasetName; readonly path?: string } => {
  const [start = '', ...rest] = text.split(':');
  const name = datasetNames.find((candidate) => candidate === start);
  if (name === undefined) throw new InvalidArgumentError(suggest(start, datasetNames));
  const path = rest.join(':');
  if ((name === 'csv') !== (path !== '')) {
    throw new InvalidArgumentError(name === 'csv' ? 'Give the file: csv:table.csv' : `Give it as ${name}`);
  }
  return name === 'csv' ? { name, path } : { name };
};

/** A dataset's name as it was given, if it means one. */
export const dataset = (text: string): string => {
  splitDataset(text);
  return text;
};

export const addDataOptions = (command: Command): Command =>
  command
    .optionsGroup('Data:')
    .option(
      '--dataset <name>',
      'mnist, letters, glyphs or csv:<path> (default: that of the model, else mnist)',
      dataset,
    )
    .option('--limit <rows>', 'at most so many training rows', whole(1))
    .option('--validation <rows>', 'mnist: rows taken from training for validation (default: 5000)', whole(0))
    .option(
      '--split <shares>',
      'letters, glyphs, csv: 70:15:15 (default) or 80:20',
      oneOf(['70:15:15', '80:20']),
    )
    .option('--normalize <how>', 'mnist: unit (default) or standard', oneOf(['unit', 'standard']))
    .option('--of <what>', 'glyphs: digits (default) or letters', oneOf(['digits', 'letters']))
    .option('--as <form>', 'glyphs: images (default) or features', oneOf(['images', 'features']))
    .option('--rows <n>', 'glyphs: how many, over all parts (default: 12000)', whole(10))
    .option('--label <column>', 'csv: the column of the classes, name or place (default: the last)')
    .option('--header', 'csv: the first row names the columns (default: found out)')
    .option('--no-header', 'csv: the first row is data')
    .option('--delimiter <char>', 'csv: between the columns (default: ,)')
    .option('--data-seed <n>', 'order and split of the rows (default: 1)', whole(0))
    .option('--offline', 'never download')
    .optionsGroup('Options:');

/** The options given on the command line, by the datasets' names for them. */
export const settingsOf = ({ dataset: chosen, dataSeed, ...given }: DataOptions): DatasetSettings => {
  const { limit, validation, split, normalize, of, as, rows, label, header, delimiter } = given;
  const path = chosen === undefined ? undefined : splitDataset(chosen).path;
  const settings = {
    ...{ path, limit, validation, split, normalize, of, as, rows, label, header, delimiter },
    seed: dataSeed,
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
};

/** How the command line calls a setting of a dataset. */
export const flagOf = (setting: string): string =>
  setting === 'path' ? '--dataset csv:<path>' : setting === 'seed' ? '--data-seed' : `--${setting}`;

/** The options that mean a dataset again. */
export const optionsOf = ({ name, options: { path, seed, ...settings } }: DataSpec): DataOptions => ({
  ...settings,
  dataset: path === undefined ? name : `${name}:${path}`,
  ...(seed !== undefined && { dataSeed: seed }),
});
