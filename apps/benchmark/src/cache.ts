import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '@espalier/engine';

/** A few letters for all that a result depends on: another setting, another key. */
export const keyOf = (settings: unknown): string =>
  createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 10);

/** Keeps JSON values in a folder, each whole or not at all. */
export interface Cache {
  read<T>(name: string): Promise<T | undefined>;
  write(name: string, value: unknown): Promise<void>;
}

export function cacheIn(folder: string): Cache {
  const pathOf = (name: string): string => join(folder, `${name.replaceAll('/', '-')}.json`);
  return {
    async read<T>(name: string) {
      const text = await readFile(pathOf(name), 'utf8').catch(() => undefined);
      return text === undefined ? undefined : (JSON.parse(text) as T);
    },
    async write(name, value) {
      await makeFolder(folder);
      const path = pathOf(name);
      await writeFile(`${path}.partial`, JSON.stringify(value));
      await rename(`${path}.partial`, path);
    },
  };
}
