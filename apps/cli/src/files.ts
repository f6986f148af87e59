import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { makeFolder as makeOnDisk } from '@espalier/engine';
import { reasonOf, UsageError } from './errors.ts';

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Makes a folder with what is missing above it. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeOnDisk(resolve(path));
  } catch (error) {
    throw new Error(`can't write to ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Checks that a folder can be made and filled, before anything is computed for it. Nothing is left there.
 * `path` is what is to be written.
 *
 * @throws if it can't.
 */
export async function checkFolder(folder: string, path: string = folder): Promise<void> {
  let at = resolve(folder);
  while (!(await exists(at))) at = dirname(at);
  try {
    // permissions alone don't tell: /proc has them
    await rmdir(await mkdtemp(join(at, '.espalier-')));
  } catch (error) {
    throw new Error(`can't write to ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Checks that a file can be written, before anything is computed for it.
 *
 * @throws if it can't, or if it is there and `overwrite` is not set.
 */
export async function checkFile(path: string, overwrite = false): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found && !found.isFile()) {
    const what = found.isDirectory() ? 'a folder' : 'a device';
    throw new Error(`can't write to ${path}: it is ${what}, not a file: choose another place`);
  }
  if (found && !overwrite) {
    throw new UsageError(`${path} is there already: choose another --out, or replace it with --overwrite`);
  }
  await checkFolder(dirname(resolve(path)), path);
}

/** Lends a name beside a path for what is not whole yet. Nothing stays there, even if the process ends. */
async function lendTemporary<T>(path: string, work: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = `${path}.partial-${randomUUID().slice(0, 8)}`;
  const remove = (): void => rmSync(temporary, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await work(temporary);
  } finally {
    process.off('exit', remove);
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Writes a whole file or nothing: under a temporary name first. Missing folders are made. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await makeFolder(dirname(path));
  await lendTemporary(path, async (temporary) => {
    try {
      await writeFile(temporary, text);
      await rename(temporary, path);
    } catch (error) {
      throw new Error(`can't write ${path}: ${reasonOf(error)}`, { cause: error });
    }
  });
}

/**
 * Fills a folder: everything is written into a temporary one, and moved when all is there. What was in the
 * folder and has the same name is replaced; `clear` may remove more, just before.
 */
export async function writeFolder<T>(
  path: string,
  fill: (temporary: string) => Promise<T>,
  clear?: () => Promise<void>,
): Promise<T> {
  const target = resolve(path);
  await makeFolder(dirname(target));
  // inside a folder that is there: it may be writable alone, or a disk of its own
  const beside = (await exists(target)) ? `${target}/` : target;
  return lendTemporary(beside, async (temporary) => {
    await mkdir(temporary).catch((error: unknown) => {
      throw new Error(`can't write to ${path}: ${reasonOf(error)}`, { cause: error });
    });
    const result = await fill(temporary);
    await clear?.();
    await makeFolder(target);
    for (const name of await readdir(temporary)) {
      await rm(join(target, name), { recursive: true, force: true });
      await rename(join(temporary, name), join(target, name));
    }
    return result;
  });
}

/**
 * Reads a file of JSON. `kind` says what it should hold.
 *
 * @throws if it can't be read or isn't JSON.
 */
export async function readJson(path: string, kind: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`can't read the ${kind} ${path}: ${reasonOf(error)}`, { cause: error });
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is no ${kind}: not valid JSON (${reasonOf(error)})`, { cause: error });
  }
}

/** Writes a value as JSON, whole or not at all. */
export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);
