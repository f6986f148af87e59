import * as tf from '@tensorflow/tfjs-core';
import { registerChainedOps } from './chained-ops.ts';
import {
  type BrowserEngineName,
  type Chooser,
  chooserOf,
  type Engine,
  type EngineCandidate,
  type EngineReport,
  type UseEngineArgs,
} from './choose.ts';
import { memoryInProcess } from './memory.ts';
import { cpuEngine, wasmEngine } from './shared-engines.ts';

registerChainedOps();

/** A backend of TensorFlow.js that the page brings along. */
const own = (name: 'webgpu' | 'webgl'): Engine<BrowserEngineName> => ({
  name,
  byNameOnly: true,
  prepare: async () => {
    const module = `@tensorflow/tfjs-backend-${name}`;
    if (!tf.findBackendFactory(name)) {
      // Found by an import map; a bundler can't follow a name that it doesn't see, and mustn't demand it.
      await import(/* @vite-ignore */ /* webpackIgnore: true */ module).catch(() => undefined);
    }
    if (!tf.findBackendFactory(name)) {
      throw new Error(`${module} is not loaded: npm install ${module}, and import '${module}' before`);
    }
    return tf.version_core;
  },
});

// Where the binary of wasm lies is for the page to say, by setWasmPaths; else it is looked for beside the script.
const engines: readonly Engine<BrowserEngineName>[] = [
  wasmEngine(() => undefined),
  cpuEngine,
  own('webgpu'),
  own('webgl'),
];

const chooser: Chooser<BrowserEngineName> = chooserOf(engines, memoryInProcess());

/**
 * Chooses the backend of TensorFlow.js in a browser and makes it ready to train: `auto` takes `wasm` with the
 * training kernels of this package, else `cpu`. `webgpu` and `webgl` are those that the page has imported.
 *
 * @throws Error when an engine is asked for by name and can't be used; the message says why and what to do.
 */
export function useEngine(
  name: 'auto' | BrowserEngineName = 'auto',
  args: UseEngineArgs = {},
): Promise<EngineReport<BrowserEngineName>> {
  return chooser.useEngine(name, args);
}

/** Looks at every engine without changing the one in use: what can be used here, and why not the others. */
export function findEngines(): Promise<readonly EngineCandidate<BrowserEngineName>[]> {
  return chooser.findEngines();
}

export type {
  BrowserEngineName,
  EngineCandidate,
  EngineComparison,
  EngineReport,
  UseEngineArgs,
} from './choose.ts';
export { registerTrainingKernels } from './kernels/index.ts';
export { fuseOptimizers } from './optimizers/index.ts';
