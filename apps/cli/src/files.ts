import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { reasonOf } from './errors.ts';

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Makes a folder with what is missing above it. (Node's own `recursive` never returns where the system makes
 * no folders, as in /proc.)
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await exists(at)); at = dirname(at)) missing.unshift(at);
  try {
    for (const folder of missing) await mkdir(folder);
  } catch (error) {
    throw new Error(`can't write to ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Writes a whole file or nothing: under a temporary name first. Missing folders are made. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.partial-${randomUUID().slice(0, 8)}`;
  await makeFolder(dirname(path));
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new Error(`can't write ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Fills a folder: everything is written into a temporary one beside it, and moved when all is there. What
 * was in the folder and has the same name is replaced; `clear` may remove more, just before.
 */
export async function writeFolder<T>(
  path: string,
  fill: (temporary: string) => Promise<T>,
  clear?: () => Promise<void>,
): Promise<T> {
  const target = resolve(path);
  const temporary = `${target}.partial-${randomUUID().slice(0, 8)}`;
  await makeFolder(dirname(target));
  try {
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
  } finally {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
  }
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
