import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import envPaths from 'env-paths';
import { download, type Patience } from './download.ts';
import { DatasetChecksumError, DatasetUnavailableError } from './errors.ts';

/** One file of a dataset. The sum and the size are those of the contents, after unpacking. */
export interface DataFile {
  /** Under the data folder. */
  readonly path: string;
  /** Where it is published; tried in turn. */
  readonly urls: readonly string[];
  /** Of the unpacked contents: the same file packed by another gzip is as good. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Where the files of a dataset may come from. */
export interface SourceOptions {
  /** A folder that holds the files. Default: the environment variable ESPALIER_DATA_DIR. */
  readonly dir?: string;
  /** Where downloads are kept. Default: ESPALIER_CACHE_DIR, else the system's cache folder. */
  readonly cacheDir?: string;
  /** False: never use the network. Default true. */
  readonly download?: boolean;
}

/** A file's unpacked contents, and where they came from, in words. */
export interface Found {
  readonly contents: Uint8Array;
  readonly origin: string;
}

const unpack = promisify(gunzip);

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Reads, unpacks and checks; `problem` says what is wrong. Undefined where there is no such file. */
const readChecked = async (
  path: string,
  { sha256, bytes }: DataFile,
): Promise<{ contents: Uint8Array; problem?: never } | { contents?: never; problem: string } | undefined> => {
  let contents: Uint8Array;
  try {
    contents = await readFile(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    return { problem: `it cannot be read: ${(error as Error).message}` };
  }
  if (isGzip(contents)) {
    try {
      contents = await unpack(contents, { maxOutputLength: bytes + 1 });
    } catch (error) {
      return { problem: `it does not unpack: ${(error as Error).message}` };
    }
  }
  if (contents.length !== bytes)
    return { problem: `expected ${bytes} bytes of contents, found ${contents.length}` };
  const found = createHash('sha256').update(contents).digest('hex');
  return found === sha256 ? { contents } : { problem: `expected SHA-256 ${sha256}, found ${found}` };
};

const cacheFolder = ({ cacheDir }: SourceOptions): string =>
  cacheDir ?? (process.env.ESPALIER_CACHE_DIR || envPaths('espalier', { suffix: '' }).cache);

/** Finds one file of a dataset: in the user's folder, in the cache, or on the network. */
export const obtain = async (
  dataset: string,
  file: DataFile,
  options: SourceOptions,
  wait?: Patience,
): Promise<Found> => {
  const reasons: string[] = [];
  const dir = options.dir ?? (process.env.ESPALIER_DATA_DIR || undefined);
  if (dir === undefined) reasons.push('ESPALIER_DATA_DIR is not set');
  else {
    const path = join(dir, file.path);
    const local = await readChecked(path, file);
    if (local?.problem !== undefined) {
      const advice = 'Put the original in its place, or take it away and it will be downloaded';
      throw new DatasetChecksumError(dataset, `${path} is not the original (${local.problem})`, advice);
    }
    if (local !== undefined) {
      return { contents: local.contents, origin: options.dir ? 'the local folder' : 'ESPALIER_DATA_DIR' };
    }
    reasons.push(`not in ${dir}`);
  }

  const target = join(cacheFolder(options), file.path);
  const cached = await readChecked(target, file);
  if (cached?.contents !== undefined) return { contents: cached.contents, origin: 'the cache' };
  // A damaged cache heals itself.
  if (cached !== undefined) await rm(target, { force: true });
  reasons.push('not in the cache');

  if (options.download === false) {
    throw new DatasetUnavailableError(dataset, file.path, [...reasons, 'downloads are turned off']);
  }
  const check = async (path: string): Promise<string | undefined> => (await readChecked(path, file))?.problem;
  // What no gzip can shrink becomes a little longer.
  const maxBytes = file.bytes + 4096;
  const outcome = await download({ urls: file.urls, target, maxBytes, check }, wait);
  if (!outcome.ok && outcome.wrong) {
    const advice = `Nothing was kept. Try again, or set ESPALIER_DATA_DIR to a folder that holds ${file.path}`;
    throw new DatasetChecksumError(dataset, outcome.reasons.join('; '), advice);
  }
  if (!outcome.ok) throw new DatasetUnavailableError(dataset, file.path, [...reasons, ...outcome.reasons]);
  const fresh = await readChecked(target, file);
  if (fresh?.contents === undefined) {
    throw new DatasetUnavailableError(dataset, file.path, [`${target} vanished after its download`]);
  }
  return { contents: fresh.contents, origin: outcome.host };
};
