import { type Plan, plan, shrink } from '@espalier/core';
import { useEngine } from '@espalier/engine';
import { noisesOf, rangeOf } from '@espalier/noise';
import { disposeModel, type NoiseCurve, noiseCurves } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { cacheIn, keyOf } from '../cache.ts';
import { type Data, firstOf } from '../data.ts';
import type { Job } from './jobs.ts';
import { methods, nobody, UNPRUNED } from './methods.ts';
import { compiled, fit, loadData, wholeNet } from './networks.ts';
import { type Case, cases, levels, recipes, type Treatment, treatmentNames } from './settings.ts';

/** One net under noise, on test data. */
export interface Measurement {
  readonly method: string;
  readonly treatment: Treatment;
  readonly curves: readonly NoiseCurve[];
}

/** What a worker answers. */
export interface Measured {
  /** By the name of the case. */
  readonly cases: Readonly<Record<string, readonly Measurement[]>>;
  /** Where the data came from. */
  readonly dataset: string;
}

/** Prunes a whole net by every method, and measures what comes of it; or takes what is known from the cache. */
export async function measure(job: Job): Promise<Measured> {
  const engine = await useEngine(job.engine);
  const { net, quick, seed } = job;
  const data = await loadData(net, quick);
  const cache = cacheIn(job.cache);
  try {
    const whole = await wholeNet(job, data);
    const measured = new Map<string, readonly Measurement[]>();
    for (const one of cases.filter((candidate) => candidate.net === net)) {
      const measurements: Measurement[] = [];
      for (const method of [UNPRUNED, ...Object.keys(methods)]) {
        const key = keyOf([one.scope, quick, engine.name, data.title, levels[net], recipes[net]]);
        const entry = `${one.name}-seed${seed}-${method}-${key}`;
        const kept = await cache.read<Measurement[]>(entry);
        const made = kept ?? (await measureMethod(job, { one, method }, whole, data));
        if (!kept) await cache.write(entry, made);
        measurements.push(...made);
      }
      measured.set(one.name, measurements);
    }
    disposeModel(whole);
    return { cases: Object.fromEntries(measured), dataset: data.title };
  } finally {
    data.dispose();
  }
}

interface Half {
  readonly one: Case;
  readonly method: string;
}

/** The net that a method leaves, after each treatment. */
async function measureMethod(
  job: Job,
  { one, method }: Half,
  whole: LayersModel,
  data: Data,
): Promise<Measurement[]> {
  const { net, seed } = job;
  const made = await planOf({ one, method, seed }, whole, data);
  const models: LayersModel[] = [];
  for (const treatment of treatmentNames) {
    const model = compiled(await shrink(whole, made), net, recipes[net].tuning);
    models.push(model);
    if (treatment !== 'plain') await tune(job, model, data, treatment);
  }
  const values = await data.train.x.data<'float32'>();
  const range = rangeOf(values, data.train.x.shape.slice(1));
  const curves = await noiseCurves(models, data.test, { levels: levels[net], range, seed });
  for (const model of models) disposeModel(model);
  return treatmentNames.map((treatment, i) => ({ method, treatment, curves: curves[i]! }));
}

/** The training rows that units are judged on. */
const JUDGED = 5000;

/** Which units go: half, or none. */
async function planOf(
  { method, one: { scope }, seed }: Half & Pick<Job, 'seed'>,
  whole: LayersModel,
  { train }: Data,
): Promise<Plan> {
  const { pruner, compensation } = methods[method] ?? nobody;
  const budget = method === UNPRUNED ? { count: 0 } : { fraction: 0.5 };
  const { x, y } = firstOf(train, JUDGED);
  try {
    return await plan(whole, {
      ...{ pruner: pruner(seed), compensation: compensation(), budget },
      ...(scope && { scope }),
      data: { x, y, batchSize: 500 },
    });
  } finally {
    tf.dispose([x, y]);
  }
}

/** Trains on for a short time, in another order than before. */
function tune(
  { net, seed, quick }: Job,
  model: LayersModel,
  data: Data,
  treatment: Exclude<Treatment, 'plain'>,
): Promise<void> {
  // what is measured, and rows without noise
  const noise =
    treatment === 'tuned' ? [] : [{ kind: 'gaussian', level: 0 } as const, ...noisesOf(levels[net])];
  return fit(model, data, { net, recipe: recipes[net].tuning, noise, seed: seed + 1000, quick });
}
