import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { compare, failure } from './compare.ts';
import { registerGradients } from './gradients/index.ts';
import type { Memory } from './memory.ts';

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
  /** Where engines were compared: when, and whether anew. */
  readonly comparison?: EngineComparison;
}

/** How engines were compared. */
export interface EngineComparison {
  /** When, in ISO 8601. */
  readonly at: string;
  /** Whether an earlier call or process did it. */
  readonly cached: boolean;
  /** Why the model could be trained on none of them, so that the preferred one was taken. */
  readonly failed?: string;
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

/** Chooses among these engines, the preferred first; `memory` saves comparing them twice. */
export const chooserOf = <Name extends string>(
  engines: readonly Engine<Name>[],
  memory: Memory,
): Chooser<Name> => ({
  useEngine: (name, args) => inTurn(() => choose(engines, memory, name, args)),
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
  memory: Memory,
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
  const comparison = rivals.length > 1 ? await compared(rivals, model, memory) : undefined;
  for (const one of fastestFirst(found)) {
    if (!one.candidate.available) continue;
    const reason = await failure(() => start(one.engine));
    if (reason === undefined) {
      const candidates = found.map(({ candidate }) => candidate);
      const chosen = { name: one.engine.name, version: one.version, candidates };
      return comparison ? { ...chosen, comparison } : chosen;
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
  if (!(await tf.setBackend(engine.name))) {
    // TensorFlow.js keeps the reason to itself, but for a warning: a second attempt says it
    const reason = await failure(async () => void (await tf.findBackendFactory(engine.name)()));
    throw new Error(`its backend did not start (${reason ?? 'see the warning above'})`);
  }
  engine.settle?.();
  registerGradients();
  // To load is not to work: tfjs-node starts on a Node newer than it knows, and fails at the first operation.
  tf.tidy(() => tf.matMul([[1, 2]], [[1], [1]]).dataSync());
}

/** Notes how fast each rival is, or why it can't train; gives when that was found out. */
async function compared<Name extends string>(
  rivals: readonly Found<Name>[],
  model: LayersModel | undefined,
  memory: Memory,
): Promise<EngineComparison> {
  const { at, cached, stepMs, failures } = await compare(
    rivals.map(({ engine, version }) => ({ name: engine.name, version, start: () => start(engine) })),
    model,
    memory,
  );
  // then it is the model's fault, or none starts, which is seen when it is taken
  if (failures.size === rivals.length) return { at, cached, failed: [...failures.values()][0]! };
  for (const one of rivals) {
    const { name } = one.engine;
    const reason = failures.get(name);
    one.candidate =
      reason === undefined
        ? { name, available: true, stepMs: stepMs[name]! }
        : { name, available: false, reason };
  }
  return { at, cached };
}

/** The order in which to take them: measured ones before others, which stay as they are. */
function fastestFirst<Name extends string>(found: readonly Found<Name>[]): readonly Found<Name>[] {
  const ms = ({ candidate }: Found<Name>): number => candidate.stepMs ?? Number.MAX_VALUE;
  return [...found].sort((a, b) => ms(a) - ms(b));
}
