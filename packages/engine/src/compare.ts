import type { LayersModel } from '@tensorflow/tfjs-layers';
import { fingerprint, measureStep } from './measure.ts';
import type { Comparison, Memory } from './memory.ts';

/** An engine that can be used here. */
export interface Rival {
  readonly name: string;
  readonly version: string;
  /** Makes it the backend. */
  start(): Promise<void>;
}

/** What came of a comparison. */
export interface Outcome extends Comparison {
  /** Whether it was made in an earlier call or process. */
  readonly cached: boolean;
  /** Why engines can't train the model, by name. */
  readonly failures: ReadonlyMap<string, string>;
}

/** How fast each rival trains a model: as remembered, or by a few steps on each. */
export async function compare(
  rivals: readonly Rival[],
  model: LayersModel | undefined,
  memory: Memory,
): Promise<Outcome> {
  const key = JSON.stringify([rivals.map(({ name, version }) => [name, version]), fingerprint(model)]);
  const known = await memory.recall(key);
  if (known && rivals.every(({ name }) => known.stepMs[name] !== undefined)) {
    return { ...known, cached: true, failures: new Map() };
  }
  const failures = new Map<string, string>();
  const stepMs: Record<string, number> = {};
  for (const { name, start } of rivals) {
    const reason = await failure(async () => {
      await start();
      stepMs[name] = await measureStep(model);
    });
    if (reason !== undefined) failures.set(name, reason);
  }
  const comparison = { at: new Date().toISOString(), stepMs };
  // what fails may be mended by the next time
  if (failures.size === 0) await memory.keep(key, comparison);
  return { ...comparison, cached: false, failures };
}

/** What a failed attempt says; undefined when it succeeds. */
export async function failure(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
