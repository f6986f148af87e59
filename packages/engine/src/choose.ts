import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { registerGradients } from './gradients/index.ts';
import { measureStep } from './measure.ts';

/** The engines that Espalier can run on in Node. */
export type EngineName = 'tensorflow' | 'wasm' | 'cpu';

/** Those of a browser; `webgpu` and `webgl` only when asked for. */
export type BrowserEngineName = 'wasm' | 'cpu' | 'webgpu' | 'webgl';

/** One engine, and whether it can be used here. */
export interface EngineCandidate<Name extends string = EngineName> {
  readonly name: Name;
  readonly available: boolean;
  /** Why it can't be used, and what to do about it; absent when it can. */
  readonly reason?: string;
  /** How long one training step took, in milliseconds, where engines were compared. */
  readonly stepMs?: number;
}

/** Which engine is in use, and what became of the others. */
export interface EngineReport<Name extends string = EngineName> {
  readonly name: Name;
  /** The version of the engine's own package: `4.22.0`. */
  readonly version: string;
  /** The engines that were considered, the preferred first: all for `auto`, otherwise the one asked for. */
  readonly candidates: readonly EngineCandidate<Name>[];
}

/** Options of `useEngine`. */
export interface UseEngineArgs {
  /**
   * The model that is to be trained: `auto` tries a few steps of a copy of it. Default: a small convolutional
   * network.
   */
  readonly model?: LayersModel;
}

/** What has to be known about an engine to use it. */
export interface Engine<Name extends string = EngineName> {
  readonly name: Name;
  /** Finds and registers it, and returns its version. Rejects with the reason when it can't be used. */
  readonly prepare: () => Promise<string>;
  /** What is left to do once it is the backend. */
  readonly settle?: () => void;
  /** Whether `auto` and `findEngines` pass it over. Default false. */
  readonly byNameOnly?: boolean;
  /** Whether `auto` takes it only where nothing else works, without measuring it. Default false. */
  readonly lastResort?: boolean;
}

/** How an engine is chosen, among those that a platform has. */
export interface Chooser<Name extends string = EngineName> {
  useEngine(name: 'auto' | Name, args: UseEngineArgs): Promise<EngineReport<Name>>;
  findEngines(): Promise<readonly EngineCandidate<Name>[]>;
}

// TensorFlow.js has one backend at a time: two overlapping choices would cancel each other's start.
let queue: Promise<unknown> = Promise.resolve();

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = queue.then(work, work);
  queue = done.catch(() => undefined);
  return done;
}

/** Chooses among these engines, the preferred first. */
export const chooserOf = <Name extends string>(engines: readonly Engine<Name>[]): Chooser<Name> => ({
  useEngine: (name, args) => inTurn(() => choose(engines, name, args)),
  findEngines: () => inTurn(() => find(engines)),
});

async function find<Name extends string>(
  engines: readonly Engine<Name>[],
): Promise<readonly EngineCandidate<Name>[]> {
  const current = tf.engine().backendName;
  const found: EngineCandidate<Name>[] = [];
  for (const engine of engines) {
    if (!engine.byNameOnly) found.push((await prepared(engine)).candidate);
  }
  // Importing the native binding makes it the backend.
  if (current && current !== tf.engine().backendName) await tf.setBackend(current);
  return found;
}

async function choose<Name extends string>(
  engines: readonly Engine<Name>[],
  name: 'auto' | Name,
  { model }: UseEngineArgs,
): Promise<EngineReport<Name>> {
  const common = engines.filter((engine) => !engine.byNameOnly);
  const wanted = name === 'auto' ? common : engines.filter((engine) => engine.name === name);
  if (wanted.length === 0) {
    const names = common.map((engine) => engine.name).join(', ');
    throw new Error(`[engine] there is no engine called ${name}; use auto, ${names}`);
  }
  const found: Found<Name>[] = [];
  for (const engine of wanted) found.push(await prepared(engine));
  const rivals = found.filter(({ engine, candidate }) => candidate.available && !engine.lastResort);
  const order = rivals.length > 1 ? await compared(found, rivals, model) : found;
  for (const one of order) {
    if (!one.candidate.available) continue;
    const reason = await failure(() => start(one.engine));
    if (reason === undefined) {
      const candidates = found.map(({ candidate }) => candidate);
      return { name: one.engine.name, version: one.version, candidates };
    }
    one.candidate = { name: one.engine.name, available: false, reason };
  }
  const why = found.map(({ candidate }) => `${candidate.name}: ${candidate.reason}`).join('; ');
  throw new Error(`[engine] ${name} can't be used here. ${why}. Or leave the choice to us: auto`);
}

interface Found<Name extends string> {
  readonly engine: Engine<Name>;
  readonly version: string;
  candidate: EngineCandidate<Name>;
}

async function prepared<Name extends string>(engine: Engine<Name>): Promise<Found<Name>> {
  const { name } = engine;
  let version = '';
  const reason = await failure(async () => {
    version = await engine.prepare();
  });
  const candidate = reason === undefined ? { name, available: true } : { name, available: false, reason };
  return { engine, version, candidate };
}

async function start(engine: Engine<string>): Promise<void> {
  if (!(await tf.setBackend(engine.name)))
    throw new Error('its backend did not start; see the warning above');
  engine.settle?.();
  registerGradients();
  // To load is not to work: tfjs-node starts on a Node newer than it knows, and fails at the first operation.
  tf.tidy(() => tf.matMul([[1, 2]], [[1], [1]]).dataSync());
}

/** Notes how fast each rival is, or why it can't train; the answer is in the order in which to take them. */
async function compared<Name extends string>(
  found: readonly Found<Name>[],
  rivals: readonly Found<Name>[],
  model: LayersModel | undefined,
): Promise<readonly Found<Name>[]> {
  for (const one of rivals) {
    const { name } = one.engine;
    const reason = await failure(async () => {
      await start(one.engine);
      one.candidate = { name, available: true, stepMs: await measureStep(name, model) };
    });
    if (reason !== undefined) one.candidate = { name, available: false, reason };
  }
  const ms = ({ candidate }: Found<Name>): number => candidate.stepMs ?? Number.POSITIVE_INFINITY;
  return [...found].sort((a, b) => (ms(a) < ms(b) ? -1 : ms(a) > ms(b) ? 1 : 0));
}

/** What a failed attempt says; undefined when it succeeds. */
async function failure(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
