import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { version_cpu } from '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { EngineName } from './engine.ts';
import { registerTrainingKernels } from './kernels/index.ts';

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

// In a variable, so that neither a compiler nor a bundler looks for a package that is no dependency of ours.
const nativePackage = '@tensorflow/tfjs-node';

async function importNative(): Promise<string> {
  let native: { version?: Record<string, string> };
  try {
    native = await import(nativePackage);
  } catch (error) {
    const [message = ''] = String(error instanceof Error ? error.message : error).split('\n');
    if (
      /cannot find (package|module)|failed to (load|resolve)/i.test(message) &&
      message.includes(nativePackage)
    ) {
      throw new Error(`${nativePackage} is not installed; to use it: npm install ${nativePackage}`);
    }
    throw new Error(
      `${nativePackage} is installed but does not load (${message.trim()}); ` +
        `try: npm rebuild ${nativePackage} --build-addon-from-source`,
    );
  }
  if (!tf.findBackendFactory('tensorflow')) {
    throw new Error(`${nativePackage} uses a tfjs-core of its own; make it share one: npm dedupe`);
  }
  return native.version?.['tfjs-node'] ?? 'unknown';
}

function locateWasm(): string {
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(dirname(entry) + sep);
  registerTrainingKernels();
  return version_wasm;
}

/** The cpu backend's first use prints an advert for the package that was looked for already. */
function silenceCpu(): void {
  const backend = tf.backend() as { firstUse?: boolean };
  if (backend.firstUse) backend.firstUse = false;
}
