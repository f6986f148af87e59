import { type EngineReport, useEngine } from '@espalier/engine';
import type { OpenedModel } from './model-file.ts';
import type { EngineOptions } from './options/common.ts';
import type { Ui } from './ui.ts';

/** Chooses the engine and says which; in words for the record. */
export async function startEngine({ engine }: EngineOptions, ui: Ui): Promise<string> {
  const { name, version }: EngineReport = await quietly(() => useEngine(engine));
  ui.note(`Engine: ${name} ${version}${name === 'cpu' ? ' (slow: wasm is 40 to 400 times faster)' : ''}`);
  return `${name} ${version}`;
}

/** What `auto` takes here, for a model if one is given, what it measured, and why it didn't take the rest. */
export const engineReport = (open?: () => Promise<OpenedModel>): Promise<EngineReport> =>
  quietly(async () => {
    if (!open) return useEngine();
    // any engine can hold it until the choice is made
    await useEngine('cpu');
    const { model } = await open();
    try {
      return await useEngine('auto', { model });
    } finally {
      model.dispose();
    }
  });

const faults = ['uncaughtException', 'unhandledRejection'] as const;

/** Loads engines that leave the process, and what it says on stderr, to us. */
async function quietly<T>(load: () => Promise<T>): Promise<T> {
  // the native engine's C++ reads it when it is loaded: warnings and errors only
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const ours = new Map(faults.map((name) => [name, process.rawListeners(name)]));
  try {
    return await load();
  } finally {
    // The wasm engine's start-up code rethrows every error of the process from listeners of its own, so that
    // Node shows a page of minified source and exits with 7, whatever the error was.
    for (const name of faults) {
      for (const listener of process.rawListeners(name)) {
        if (!ours.get(name)?.includes(listener)) process.off(name, listener as () => void);
      }
    }
  }
}
