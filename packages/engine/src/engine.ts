import {
  type Chooser,
  chooserOf,
  type EngineCandidate,
  type EngineName,
  type EngineReport,
  type UseEngineArgs,
} from './choose.ts';
import { engines } from './engines.ts';
import { memoryOnDisk } from './memory-on-disk.ts';

// The names of a browser's engines are known here only to say where they belong.
const chooser: Chooser = chooserOf(engines, memoryOnDisk()) as Chooser<string> as Chooser;

/**
 * Chooses the backend of TensorFlow.js and makes it ready to train.
 *
 * `auto` takes the faster of the native binding (`tensorflow`), when `@tensorflow/tfjs-node` is installed and
 * works, and `wasm` with the training kernels of this package, by a few training steps on each, which are remembered
 * in the cache folder; `wasm` at once where it is alone; else `cpu`, which is right but 40 to 400 times slower.
 * Calling it again, or with another name, is fine; tensors made before move to the new engine when used.
 *
 * @throws Error when an engine is asked for by name and can't be used; the message says why and what to do.
 */
export function useEngine(
  name: 'auto' | EngineName = 'auto',
  args: UseEngineArgs = {},
): Promise<EngineReport> {
  return chooser.useEngine(name, args);
}

/** Looks at every engine without changing the one in use: what can be used here, and why not the others. */
export function findEngines(): Promise<readonly EngineCandidate[]> {
  return chooser.findEngines();
}
