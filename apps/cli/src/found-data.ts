import { join } from 'node:path';
import { type DatasetEntry, type DatasetName, datasets } from '@espalier/datasets';
import envPaths from 'env-paths';
import { exists } from './files.ts';
import type { Io } from './io.ts';
import { datasetNames } from './options/data.ts';

/** A dataset, and whether it is here. */
export interface FoundDataset {
  readonly name: DatasetName;
  readonly description: string;
  readonly source: string;
  readonly classes?: number;
  readonly inputShape?: readonly number[];
  /** Of its files, unpacked. */
  readonly bytes: number;
  readonly found: 'generated' | 'your file' | 'ESPALIER_DATA_DIR' | 'cache' | 'not here';
}

export const cacheFolder = ({ env }: Io): string =>
  env.ESPALIER_CACHE_DIR || envPaths('espalier', { suffix: '' }).cache;

/** Where each dataset would come from; nothing is fetched or checked. */
export const findDatasets = (io: Io): Promise<readonly FoundDataset[]> =>
  Promise.all(
    datasetNames.map(async (name) => {
      const { description, source, classes, inputShape, files }: DatasetEntry<never> = datasets[name];
      return {
        ...{ name, description, source },
        ...(classes !== undefined && { classes }),
        ...(inputShape && { inputShape }),
        bytes: files.reduce((sum, file) => sum + file.bytes, 0),
        found: await whereIs(name, io),
      };
    }),
  );

async function whereIs(name: DatasetName, io: Io): Promise<FoundDataset['found']> {
  const { files } = datasets[name];
  if (files.length === 0) return name === 'csv' ? 'your file' : 'generated';
  const isIn = async (folder: string): Promise<boolean> =>
    (await Promise.all(files.map(({ path }) => exists(join(folder, path))))).every(Boolean);
  const { ESPALIER_DATA_DIR: dir } = io.env;
  if (dir && (await isIn(dir))) return 'ESPALIER_DATA_DIR';
  return (await isIn(cacheFolder(io))) ? 'cache' : 'not here';
}
