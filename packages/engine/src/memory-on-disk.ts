import { createHash, randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.ts';
import { makeFolder } from './io/folder.ts';
import { type Comparison, type Memory, memoryInProcess } from './memory.ts';

/** A machine changes in ways that can't be seen from here: what is older is measured anew. */
const DAYS = 30;

/**
 * Keeps comparisons in the cache folder too, one small file each, for this version of Espalier on this machine.
 * A folder that can't be used, or a file that makes no sense, is as if there were none.
 */
export function memoryOnDisk(): Memory {
  const here = memoryInProcess();
  return {
    recall: async (key) => (await here.recall(key)) ?? (await read(key).catch(() => undefined)),
    keep: async (key, comparison) => {
      await here.keep(key, comparison);
      await write(key, comparison).catch(() => undefined);
    },
  };
}

async function read(key: string): Promise<Comparison | undefined> {
  const { at, stepMs } = JSON.parse(await readFile(fileOf(key), 'utf8')) as Partial<Comparison>;
  const age = Date.now() - Date.parse(String(at));
  const times = Object.values(stepMs ?? {});
  const sound = times.length > 0 && times.every((ms) => Number.isFinite(ms) && ms > 0);
  return sound && age >= 0 && age < DAYS * 86_400_000 ? ({ at, stepMs } as Comparison) : undefined;
}

/** Under a name of its own first: who reads meanwhile sees all of the old file or all of the new one. */
async function write(key: string, comparison: Comparison): Promise<void> {
  const file = fileOf(key);
  await makeFolder(join(file, '..'));
  const partial = `${file}.${randomUUID()}`;
  try {
    await writeFile(partial, `${JSON.stringify({ ...comparison, ...surroundings() }, null, 2)}\n`);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

function fileOf(key: string): string {
  const all = JSON.stringify([key, surroundings()]);
  const name = createHash('sha256').update(all).digest('hex').slice(0, 32);
  return join(cacheFolder(), 'engine-steps', `${name}.json`);
}

/** What the times depend on beside the engines and the model. */
function surroundings(): Readonly<Record<string, string | number>> {
  const { version } = createRequire(import.meta.url)('../package.json') as { readonly version: string };
  return {
    espalier: version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
  };
}
