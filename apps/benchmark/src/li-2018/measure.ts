import { useEngine } from '@espalier/engine';
import { disposeModel } from '@espalier/trainer';
import { cacheIn, keyOf } from '../cache.ts';
import { type Digits, loadDigits } from '../digits.ts';
import { frontier } from './frontier.ts';
import { caseOf, type Job, type Task } from './jobs.ts';
import { type Figures, figuresOf, wholeNet } from './network.ts';
import {
  CALIBRATION,
  FRONTIER,
  levels,
  NETWORK,
  POINTS,
  QUICK,
  STEPPING,
  TRAINING,
  TUNING,
  WHOLE,
} from './settings.ts';
import { thinned } from './thinned.ts';

/** What a worker answers. */
export interface Measured {
  /** By case. */
  readonly figures: Readonly<Record<string, Figures>>;
  /** Where the data came from. */
  readonly dataset: string;
}

/** What the figures of a task depend on, beside the whole network. */
const settings: Readonly<Record<Task['kind'], unknown>> = {
  whole: undefined,
  thinned: [levels, TUNING, POINTS, CALIBRATION],
  frontier: [FRONTIER, STEPPING],
};

/** Trains and measures, or takes what is known from the cache. */
export async function measure(job: Job): Promise<Measured> {
  const { task, seed, quick } = job;
  const engine = await useEngine(job.engine);
  const digits = await loadDigits(quick ? QUICK.rows : undefined);
  try {
    const cache = cacheIn(job.cache);
    const recipe = [NETWORK, TRAINING, WHOLE, settings[task.kind]];
    const key = keyOf([task, quick, engine.name, digits.name, recipe]);
    const name = `${caseOf(task)}-seed${seed}-${key}`;
    const known = await cache.read<Measured>(name);
    if (known) return known;
    const measured = { figures: await carryOut(job, digits), dataset: digits.title };
    await cache.write(name, measured);
    return measured;
  } finally {
    digits.dispose();
  }
}

async function carryOut(job: Job, digits: Digits): Promise<Record<string, Figures>> {
  const { task } = job;
  if (task.kind === 'whole') {
    const model = await wholeNet(job, digits);
    const figures = await figuresOf(model, digits);
    disposeModel(model);
    return { [caseOf(task)]: figures };
  }
  const found = task.kind === 'frontier' ? await frontier(job, digits) : await thinned(job, digits, task);
  const at = caseOf(task);
  return Object.fromEntries(
    Object.entries(found).map(([part, figures]) => [part === '' ? at : `${at}/${part}`, figures]),
  );
}
