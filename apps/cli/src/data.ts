import {
  type Dataset,
  type DatasetOptions,
  datasets,
  loadDataset,
  type Part,
  type Parts,
  type PartTensors,
  toTensors,
} from '@espalier/datasets';
import { formatCount } from '@espalier/report';
import type { StartEvent } from '@espalier/trainer';
import { dispose } from '@tensorflow/tfjs-core';
import { UsageError } from './errors.ts';
import { type DataOptions, type DataSpec, flagOf, settingsOf, splitDataset } from './options/data.ts';
import type { Ui } from './ui.ts';

/** A dataset and how to have it again. */
export interface LoadedData {
  readonly dataset: Dataset;
  readonly spec: DataSpec;
}

/**
 * Loads the dataset that was asked for, else the one that the model was trained on (with the same rows in
 * its test part), else MNIST, for which glyphs stand in where it isn't to be had.
 */
export async function loadData(options: DataOptions, ui: Ui, remembered?: DataSpec): Promise<LoadedData> {
  const spec = chooseData(options, remembered);
  const { name } = spec;
  const takes: readonly string[] = datasets[name].options;
  const stranger = Object.keys(spec.options).find((key) => !takes.includes(key));
  if (stranger !== undefined) {
    const flags = takes.filter((key) => !['dir', 'cacheDir', 'download'].includes(key)).map(flagOf);
    throw new UsageError(`the dataset ${name} takes no ${flagOf(stranger)}; it takes: ${flags.join(', ')}`);
  }
  const isChosen = options.dataset !== undefined || remembered !== undefined;
  const dataset = await loadDataset(name, {
    ...spec.options,
    ...(options.offline && takes.includes('download') && { download: false }),
    ...(!isChosen && { fallback: 'glyphs' }),
  } as DatasetOptions[typeof name]);
  ui.note(`Data: ${describe(dataset)}`);
  if (isChosen || dataset.name !== 'glyphs') return { dataset, spec };
  const { seed, limit } = spec.options;
  const shared = { ...(seed !== undefined && { seed }), ...(limit !== undefined && { limit }) };
  return { dataset, spec: { name: 'glyphs', options: { ...datasets[name].standIn, ...shared } } };
}

/** What was given on the command line goes over what the model remembers of the same dataset. */
function chooseData(options: DataOptions, remembered: DataSpec | undefined): DataSpec {
  const settings = settingsOf(options);
  const chosen = options.dataset === undefined ? undefined : splitDataset(options.dataset).name;
  const name = chosen ?? remembered?.name ?? 'mnist';
  const isSame =
    remembered?.name === name && (settings.path === undefined || settings.path === remembered.options.path);
  return { name, options: isSame ? { ...remembered.options, ...settings } : settings };
}

const describe = ({ name, note, train, validation, test }: Dataset): string =>
  `${name}${note ? ` (${note})` : ''}: ${formatCount(train.rows)} training, ` +
  `${formatCount(validation.rows)} validation and ${formatCount(test.rows)} test rows`;

/** A dataset as a run's record has it. */
export const datasetRecord = ({
  name,
  classes,
  note,
  train,
  validation,
  test,
}: Dataset): StartEvent['dataset'] => ({
  name,
  classes,
  rows: { train: train.rows, validation: validation.rows, test: test.rows },
  ...(note !== undefined && { note }),
});

/** Lends parts of a dataset as tensors, for the time of `work`. */
export async function withTensors<Name extends string, T>(
  dataset: Dataset,
  parts: Readonly<Record<Name, keyof Parts | Part>>,
  work: (tensors: Readonly<Record<Name, PartTensors>>) => Promise<T>,
): Promise<T> {
  const names = Object.keys(parts) as Name[];
  const tensors = Object.fromEntries(names.map((name) => [name, toTensors(dataset, parts[name])])) as Record<
    Name,
    PartTensors
  >;
  try {
    return await work(tensors);
  } finally {
    for (const name of names) dispose([tensors[name].x, tensors[name].y]);
  }
}
