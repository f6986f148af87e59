import * as tf from '@tensorflow/tfjs-core';
import { type Engine, engines } from './engines.ts';

/** The engines that Espalier can run on, in the order in which `auto` prefers them. */
export type EngineName = 'tensorflow' | 'wasm' | 'cpu';

/** One engine, and whether it can be used here. */
export interface EngineCandidate {
  readonly name: EngineName;
  readonly available: boolean;
  /** Why it can't be used, and what to do about it; absent when it can. */
  readonly reason?: string;
}

/** Which engine is in use, and what became of the others. */
export interface EngineReport {
  readonly name: EngineName;
  /** The version of the engine's own package: `4.22.0`. */
  readonly version: string;
  /** The engines that were considered, the preferred first: all for `auto`, otherwise the one asked for. */
  readonly candidates: readonly EngineCandidate[];
}

// TensorFlow.js has one backend at a time: two overlapping choices would cancel each other's start.
let queue: Promise<unknown> = Promise.resolve();

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = queue.then(work, work);
  queue = done.catch(() => undefined);
  return done;
}

/**
 * Chooses the backend of TensorFlow.js and makes it ready to train.
 *
 * `auto` takes the native binding (`tensorflow`) when `@tensorflow/tfjs-node` is installed and works, else
 * `wasm` with the training kernels of this package, else `cpu`, which is right but about 200 times slower.
 * Calling it again, or with another name, is fine; tensors made before move to the new engine when used.
 *
 * @throws Error when an engine is asked for by name and can't be used; the message says why and what to do.
 */
export function useEngine(name: 'auto' | EngineName = 'auto'): Promise<EngineReport> {
  return inTurn(() => choose(name));
}

/** Looks at every engine without changing the one in use: what can be used here, and why not the others. */
export function findEngines(): Promise<readonly EngineCandidate[]> {
  return inTurn(async () => {
    const current = tf.engine().backendName;
    const candidates: EngineCandidate[] = [];
    for (const engine of engines) candidates.push(candidate(engine, await attempt(engine.prepare)));
    // Importing the native binding makes it the backend.
    if (current && current !== tf.engine().backendName) await tf.setBackend(current);
    return candidates;
  });
}

async function choose(name: 'auto' | EngineName): Promise<EngineReport> {
  const wanted = name === 'auto' ? engines : engines.filter((engine) => engine.name === name);
  if (wanted.length === 0) {
    const names = engines.map((engine) => engine.name).join(', ');
    throw new Error(`[engine] there is no engine called ${name}; use auto, ${names}`);
  }
  const candidates: EngineCandidate[] = [];
  let taken: { name: EngineName; version: string } | undefined;
  for (const engine of wanted) {
    const outcome = await attempt(taken ? engine.prepare : () => start(engine));
    candidates.push(candidate(engine, outcome));
    if (!taken && 'value' in outcome) taken = { name: engine.name, version: outcome.value };
  }
  if (!taken) {
    const why = candidates.map((one) => `${one.name}: ${one.reason}`).join('; ');
    throw new Error(`[engine] ${name} can't be used here. ${why}. Or leave the choice to us: auto`);
  }
  if (tf.engine().backendName !== taken.name) await tf.setBackend(taken.name);
  return { ...taken, candidates };
}

async function start(engine: Engine): Promise<string> {
  const version = await engine.prepare();
  if (!(await tf.setBackend(engine.name)))
    throw new Error('its backend did not start; see the warning above');
  engine.settle?.();
  // To load is not to work: tfjs-node starts on a Node newer than it knows, and fails at the first operation.
  tf.tidy(() => tf.matMul([[1, 2]], [[1], [1]]).dataSync());
  return version;
}

type Outcome = { value: string } | { reason: string };

async function attempt(work: () => Promise<string>): Promise<Outcome> {
  try {
    return { value: await work() };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

function candidate({ name }: Engine, outcome: Outcome): EngineCandidate {
  return 'value' in outcome ? { name, available: true } : { name, available: false, reason: outcome.reason };
}
