import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { messageOf } from './errors.ts';

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Writes a whole file or nothing: under a temporary name first. Missing folders are made. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.partial-${randomUUID().slice(0, 8)}`;
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new Error(`can't write ${path}: ${messageOf(error)}`, { cause: error });
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
  try {
    await mkdir(temporary, { recursive: true }).catch((error: unknown) => {
      throw new Error(`can't write to ${path}: ${messageOf(error)}`, { cause: error });
    });
    const result = await fill(temporary);
    await clear?.();
    await mkdir(target, { recursive: true });
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
    throw new Error(`can't read the ${kind} ${path}: ${messageOf(error)}`, { cause: error });
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is no ${kind}: not valid JSON (${messageOf(error)})`, { cause: error });
  }
}

/** Writes a value as JSON, whole or not at all. */
export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);
