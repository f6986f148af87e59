import { readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '@espalier/trainer';
import { z } from 'zod';
import { UsageError } from './errors.ts';
import { checkFolder, exists, readJson, writeJson, writeWhole } from './files.ts';

const FILE = 'run.json';

/** Commands that can go on after an interruption. */
type Command = 'train' | 'prune';

const run = z.object({
  version: z.literal(1),
  command: z.enum(['train', 'prune']),
  options: z.record(z.string(), z.unknown()),
});

/** Keeps a run's options, so that it can go on after an interruption. */
export const keepSettings = (out: string, command: Command, options: object): Promise<void> =>
  writeJson(join(out, FILE), { version: 1, command, options });

/** The options of the run in a folder. */
export async function readSettings<Options extends object>(out: string, command: Command): Promise<Options> {
  const path = join(out, FILE);
  if (!(await exists(path)))
    throw new Error(`there is no run to resume in ${out}: start one without --resume`);
  const parsed = run.safeParse(await readJson(path, 'run'));
  if (!parsed.success)
    throw new Error(`${path} does not hold a run's options: start it again with --overwrite`);
  if (parsed.data.command !== command) {
    const own = parsed.data.command;
    throw new UsageError(
      `the run in ${out} is of espalier ${own}: go on by espalier ${own} --out ${out} --resume`,
    );
  }
  return parsed.data.options as Options;
}

/** Which run stands in a folder, if one does. */
export async function runIn(out: string): Promise<'finished' | 'unfinished' | undefined> {
  // it goes last
  const isKept = (await exists(join(out, 'checkpoint'))) || (await exists(join(out, 'checkpoint.next')));
  if (!isKept && (await exists(join(out, 'model', 'model.json')))) return 'finished';
  return (await exists(join(out, FILE))) ? 'unfinished' : undefined;
}

/** What a run writes into its folder. */
const outputs = [
  FILE,
  'record.jsonl',
  'report.html',
  'model',
  'plans',
  'plan.json',
  'checkpoint',
  'checkpoint.next',
];

/**
 * Checks a run's folder before anything is computed for it.
 *
 * @throws if it can't be written, or holds what a run would replace and `--overwrite` was not given.
 */
export async function checkFree(out: string, overwrite: boolean | undefined): Promise<void> {
  await checkFolder(out);
  if (overwrite) return;
  const unfinished = (await runIn(out)) === 'unfinished';
  for (const name of outputs) {
    if (!(await exists(join(out, name)))) continue;
    throw new UsageError(
      unfinished
        ? `${out} holds an unfinished run: go on with it by --out ${out} --resume, or replace it with --overwrite`
        : `${out} has a ${name} already: choose another --out, or replace what is there with --overwrite`,
    );
  }
}

/** Removes what an earlier run left, or one that came to nothing. */
export async function clearRun(out: string): Promise<void> {
  for (const name of outputs) await rm(join(out, name), { recursive: true, force: true });
}

/** `clearRun`, and the folder goes too if nothing else is in it. What can't be removed stays. */
export async function removeRun(out: string): Promise<void> {
  await clearRun(out).catch(() => undefined);
  await rmdir(out).catch(() => undefined);
}

/** Takes from a record what was cut off, and all from the first event that will happen again. */
export async function rewindRecord(file: string, isNext: (event: RunEvent) => boolean): Promise<void> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  const end = lines.findIndex((line) => {
    const event = eventOf(line);
    return !event || isNext(event);
  });
  const kept = lines.slice(0, end < 0 ? lines.length : end);
  await writeWhole(file, kept.map((line) => `${line}\n`).join(''));
}

function eventOf(line: string): RunEvent | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
