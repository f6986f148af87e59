import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { version_cpu } from '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { EngineName } from './engine.ts';
import { registerTrainingKernels } from './kernels/index.ts';
import { importNative } from './native.ts';
import { fuseOptimizers } from './optimizers/index.ts';

/** What has to be known about an engine to use it. */
export interface Engine {
  readonly name: EngineName;
  /** Finds and registers it, and returns its version. Rejects with the reason when it can't be used. */
  readonly prepare: () => Promise<string>;
  /** What is left to do once it is the backend. */
  readonly settle?: () => void;
}

/** All engines, the preferred first. */
export const engines: readonly Engine[] = [
  { name: 'tensorflow', prepare: importNative },
  { name: 'wasm', prepare: async () => locateWasm() },
  { name: 'cpu', prepare: async () => version_cpu, settle: silenceCpu },
];

function locateWasm(): string {
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(dirname(entry) + sep);
  registerTrainingKernels();
  fuseOptimizers();
  return version_wasm;
}

/** The cpu backend's first use prints an advert for the package that was looked for already. */
function silenceCpu(): void {
  const backend = tf.backend() as { firstUse?: boolean };
  if (backend.firstUse) backend.firstUse = false;
}
