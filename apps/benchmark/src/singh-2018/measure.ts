import { join } from 'node:path';
import { loadModel, saveModel, useEngine } from '@espalier/engine';
import type { AttemptEvent } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Cache, cacheIn, keyOf } from '../cache.ts';
import type { Data } from '../data.ts';
import { byRule, pruned, trainedFirst, unpruned } from './deep.ts';
import type { Job, Task } from './jobs.ts';
import { loadLetters } from './letters.ts';
import { compiled, type Outcome, outcomeOf } from './network.ts';
import { DEEP, EPOCHS, PRUNINGS, RESTART, RULE, singleRows } from './paper.ts';
import { fewest, single } from './single.ts';

/** What a worker answers. */
export interface Measured extends Outcome {
  /** Where the data came from. */
  readonly dataset: string;
}

/** What a training depends on, beside its task. */
const settings: Readonly<Record<Task['kind'], unknown>> = {
  single: undefined,
  fewest: [RESTART, singleRows],
  first: [DEEP, EPOCHS],
  unpruned: [DEEP, EPOCHS],
  rule: [DEEP, EPOCHS, RULE],
  pruned: [DEEP, EPOCHS, PRUNINGS],
};

/** Trains and measures one network, or takes what is known of it from the cache. */
export async function measure(job: Job): Promise<Measured> {
  const engine = await useEngine(job.engine);
  const letters = await loadLetters(job.quick);
  try {
    const cache = cacheIn(job.cache);
    const key = keyOf([job.task, job.quick, engine.name, letters.title, settings[job.task.kind]]);
    const name = `${job.task.case}-seed${job.seed}-${key}`;
    const known = await cache.read<Measured>(name);
    if (known) return known;
    const measured = { ...(await carryOut(job, letters, cache, name)), dataset: letters.title };
    await cache.write(name, measured);
    return measured;
  } finally {
    letters.dispose();
  }
}

async function carryOut(
  { task, seed, quick, ...job }: Job,
  letters: Data,
  cache: Cache,
  name: string,
): Promise<Outcome> {
  switch (task.kind) {
    case 'single':
      return single(letters, { row: task.row, seed, quick });
    case 'fewest': {
      const attempts = (await cache.read<AttemptEvent[]>(`${name}-attempts`)) ?? [];
      const onAttempt = async (event: AttemptEvent) => {
        attempts.push(event);
        await cache.write(`${name}-attempts`, attempts);
      };
      return fewest(letters, { quick, done: [...attempts], onAttempt });
    }
    case 'first': {
      const model = await first(letters, { ...job, seed, quick });
      return outcomeOf(model, letters, []);
    }
    case 'unpruned':
      return unpruned(letters, { units: task.units, seed, quick });
    case 'rule':
      return byRule(letters, { budget: task.budget, seed, quick });
    case 'pruned': {
      const model = await first(letters, { ...job, seed, quick });
      return pruned(letters, model, { ...task, seed, quick });
    }
  }
}

/** The network that all prunings with one seed begin with: the first of them trains it. */
async function first(letters: Data, { cache, seed, quick }: Omit<Job, 'task'>): Promise<LayersModel> {
  const key = keyOf([letters.title, tf.getBackend(), seed, quick, settings.first]);
  const path = join(cache, `deep-first-seed${seed}-${key}`);
  const kept = await loadModel(path).catch(() => undefined);
  if (kept) return compiled(kept, DEEP);
  const model = await trainedFirst(letters, { seed, quick });
  await saveModel(model, path);
  return model;
}
