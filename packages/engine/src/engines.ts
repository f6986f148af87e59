import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import type { Engine, EngineName } from './choose.ts';
import { importNative } from './native.ts';
import { cpuEngine, wasmEngine } from './shared-engines.ts';

/** The engines of Node, the preferred first. */
export const engines: readonly Engine<EngineName | 'webgpu' | 'webgl'>[] = [
  { name: 'tensorflow', prepare: importNative },
  wasmEngine(locateWasm),
  cpuEngine,
  { name: 'webgpu', prepare: needsBrowser, byNameOnly: true },
  { name: 'webgl', prepare: needsBrowser, byNameOnly: true },
];

function locateWasm(): void {
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(dirname(entry) + sep);
}

async function needsBrowser(): Promise<never> {
  throw new Error('it runs in a browser, not in Node');
}
