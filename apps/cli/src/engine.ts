import { type EngineReport, useEngine } from '@espalier/engine';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { OpenedModel } from './model-file.ts';
import type { EngineOptions } from './options/common.ts';
import type { Ui } from './ui.ts';

/** Chooses the engine and says which; in words for the record. */
export async function startEngine({ engine }: EngineOptions, ui: Ui): Promise<string> {
  return say(await quietly(() => useEngine(engine)), ui);
}

/** The same for a model that is to be trained: `auto` takes the engine that is fastest with it. */
export async function startEngineFor(
  { engine = 'auto' }: EngineOptions,
  ui: Ui,
  build: () => LayersModel,
): Promise<{ readonly engine: string; readonly model: LayersModel }> {
  if (engine !== 'auto') return { engine: await startEngine({ engine }, ui), model: build() };
  const { model, report } = await quietly(() => fastestFor(async () => build()));
  return { engine: say(report, ui), model };
}

function say({ name, version }: EngineReport, ui: Ui): string {
  ui.note(`Engine: ${name} ${version}${name === 'cpu' ? ' (slow: wasm is 40 to 400 times faster)' : ''}`);
  return `${name} ${version}`;
}

/** What `auto` takes here, for a model if one is given, what it measured, and why it didn't take the rest. */
export const engineReport = (open?: () => Promise<OpenedModel>): Promise<EngineReport> =>
  quietly(async () => {
    if (!open) return useEngine();
    const { model, report } = await fastestFor(async () => (await open()).model);
    model.dispose();
    return report;
  });

/** A model, and what `auto` takes for it. */
async function fastestFor(
  make: () => Promise<LayersModel>,
): Promise<{ readonly model: LayersModel; readonly report: EngineReport }> {
  // any engine can hold it until the choice is made, and its weights move on when they are used
  await useEngine('cpu');
  const model = await make();
  return { model, report: await useEngine('auto', { model }) };
}

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
