import { appendFile, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loadModel, makeFolder, saveModel } from '@espalier/engine';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { RunEvent } from './record.ts';
import { type RunningPowers, restoreRunningPowers, runningPowersOf } from './running-powers.ts';
import type { TrainState } from './train-options.ts';

/**
 * A run on disk: `record.jsonl` grows event by event; `checkpoint/` holds the model with its optimizer's
 * state after the last epoch that was done.
 */
export interface RunFolder {
  readonly path: string;
  readonly recordFile: string;
  append(event: RunEvent): Promise<void>;
  /** The record so far, without what was cut off in the middle of a line: that goes from the file, too. */
  events(): Promise<RunEvent[]>;
  /** Replaces the last checkpoint; there is a whole one at any moment. */
  checkpoint(state: TrainState): Promise<void>;
  /** The last checkpoint, if there is one. What the record says of later goes: it will happen again. */
  resume(): Promise<TrainState | undefined>;
  /** Removes the checkpoint of a run that is over. */
  finish(): Promise<void>;
}

/**
 * Opens a folder for a run, and makes it if need be. A new run starts a new record; `keep` goes on with the
 * one that is there.
 *
 * @throws if the folder can't be written.
 */
export async function runFolder(
  path: string,
  { keep = false }: { readonly keep?: boolean } = {},
): Promise<RunFolder> {
  const recordFile = join(path, 'record.jsonl');
  const checkpoints = join(path, 'checkpoint');
  const next = join(path, 'checkpoint.next');
  try {
    await makeFolder(resolve(path));
    if (!keep) {
      await writeFile(recordFile, '');
      for (const folder of [checkpoints, next]) await rm(folder, { recursive: true, force: true });
    }
  } catch (error) {
    throw new Error(`[trainer] can't write to ${path}: ${(error as Error).message}. Choose another folder`, {
      cause: error,
    });
  }
  return {
    path,
    recordFile,
    append: (event) => appendFile(recordFile, `${JSON.stringify(event)}\n`),
    async events() {
      const lines = (await textOf(recordFile)).split('\n').filter((line) => line !== '');
      const events = lines.flatMap((line) => eventOf(line) ?? []);
      if (events.length < lines.length) await replaceRecord(recordFile, events);
      return events;
    },
    async checkpoint({ model, ...state }) {
      await rm(next, { recursive: true, force: true });
      const powers = await runningPowersOf(model.optimizer);
      await saveState(model, next, { state, powers, recorded: await sizeOf(recordFile) });
      await rm(checkpoints, { recursive: true, force: true });
      await rename(next, checkpoints);
    },
    async resume() {
      // a run that was cut off between the two renames left the new one only
      for (const folder of [checkpoints, next]) {
        const kept = await readState(folder);
        if (!kept) continue;
        if (kept.recorded < (await sizeOf(recordFile))) await truncate(recordFile, kept.recorded);
        const model = await loadModel(folder);
        const { espalierRun: _, ...own } = model.getUserDefinedMetadata() as Record<string, unknown>;
        model.setUserDefinedMetadata(own);
        restoreRunningPowers(model.optimizer, kept.powers);
        return { model, ...kept.state };
      }
      return undefined;
    },
    async finish() {
      for (const folder of [checkpoints, next]) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A file's bytes; 0 if there is no file yet. */
const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  );

/** A file's text; nothing if there is no file yet. */
const textOf = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });

function eventOf(line: string): RunEvent | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function replaceRecord(file: string, events: readonly RunEvent[]): Promise<void> {
  await writeFile(`${file}.next`, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  await rename(`${file}.next`, file);
}

/** What a checkpoint keeps beside the model. */
interface Kept {
  readonly state: Omit<TrainState, 'model'>;
  readonly powers: RunningPowers;
  /** The bytes of the record by then. */
  readonly recorded: number;
}

async function saveState(model: LayersModel, folder: string, kept: Kept): Promise<void> {
  try {
    await saveModel(model, folder, { optimizer: true, metadata: { espalierRun: kept } });
  } catch (error) {
    if (!/getWeights\(\) is not implemented/.test((error as Error).message)) throw error;
    throw new Error(
      `[trainer] there can be no checkpoints with ${model.optimizer.getClassName()}: TensorFlow.js can't save its ` +
        'state. Compile the model with another optimizer (adam), or leave out onEpochEnd: folder.checkpoint',
      { cause: error },
    );
  }
}

async function readState(folder: string): Promise<Kept | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, 'model.json'), 'utf8');
  } catch {
    return undefined;
  }
  const { userDefinedMetadata } = JSON.parse(text) as {
    readonly userDefinedMetadata?: { readonly espalierRun?: Kept };
  };
  return userDefinedMetadata?.espalierRun;
}
