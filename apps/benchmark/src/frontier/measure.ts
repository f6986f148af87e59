import { type CalibrationData, planner, shrink } from '@espalier/core';
import { useEngine } from '@espalier/engine';
import { disposeModel } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { BenchmarkOptions } from '../benchmark.ts';
import { cacheIn, keyOf } from '../cache.ts';
import { type Data, firstOf } from '../data.ts';
import { loadData, wholeNet } from '../noise/networks.ts';
import type { Net } from '../noise/settings.ts';
import { compensations, criteria, type Method, methods, nameOf } from './methods.ts';
import { type Point, pointOf } from './size.ts';
import { type WideJob, wide } from './wide.ts';

/** Which share of the parameters may be left. */
const SHARES = [0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1];
const QUICK_SHARES = [0.5, 0.2];
/** The training rows that units are judged on. */
const JUDGED = { rows: 2000, batchSize: 250 };

/** One net with one seed, and every method: all that a worker needs to know. */
export interface NetJob extends Pick<BenchmarkOptions, 'engine' | 'quick'> {
  readonly net: Net;
  readonly seed: number;
  /** The folder that keeps what was measured, and whole nets. */
  readonly cache: string;
}

export type Job = NetJob | WideJob;

/** What a worker answers. */
export interface Measured {
  /** By method; the whole net is `unpruned`. */
  readonly points: Readonly<Record<string, readonly Point[]>>;
  /** Where the data came from. */
  readonly dataset: string;
}

/** Measures one net under every method, or trains one of the nets that the wide one is held against. */
export async function measure(job: Job): Promise<Measured> {
  const engine = await useEngine(job.engine);
  const data = await loadData(job.net, job.quick);
  try {
    const answer = 'kind' in job ? await wide(job, data) : await byAllMethods(job, data, engine.name);
    return { points: answer, dataset: data.title };
  } finally {
    data.dispose();
  }
}

async function byAllMethods(job: NetJob, data: Data, engine: string): Promise<Measured['points']> {
  const { net, seed, quick } = job;
  const cache = cacheIn(job.cache);
  const model = await wholeNet(job, data);
  const judged = firstOf(data.train, JUDGED.rows);
  const shares = quick ? QUICK_SHARES : SHARES;
  const points: Record<string, readonly Point[]> = {};
  try {
    points.unpruned = [await pointOf(model, data, 1)];
    for (const method of methods) {
      const name = nameOf(method);
      const entry = `${net}-seed${seed}-${name}-${keyOf([quick, engine, data.title, JUDGED, shares])}`;
      const kept = await cache.read<Point[]>(entry);
      const args = { method, seed, shares, data, judged: { ...judged, batchSize: JUDGED.batchSize } };
      points[name] = kept ?? (await byMethod(model, args));
      if (!kept) await cache.write(entry, points[name]);
    }
    return points;
  } finally {
    disposeModel(model);
    tf.dispose([judged.x, judged.y]);
  }
}

interface MethodArgs {
  readonly method: Method;
  readonly seed: number;
  readonly shares: readonly number[];
  readonly data: Data;
  readonly judged: CalibrationData;
}

/** Judges once, and makes the smaller net of each size that the method comes to. */
async function byMethod(model: LayersModel, args: MethodArgs): Promise<Point[]> {
  const { method, seed, shares, data, judged } = args;
  const plans = await planner(model, {
    pruner: criteria[method.criterion]!(seed),
    compensation: compensations[method.compensation]!(),
    ranking: 'global',
    data: judged,
  });
  const points: Point[] = [];
  try {
    for (const share of shares) {
      const made = await plans.plan({ params: share });
      // pairs of like units end somewhere
      if (made.cost.after.params > share * made.cost.before.params) break;
      const smaller = await shrink(model, made);
      points.push(await pointOf(smaller, data, share));
      disposeModel(smaller);
    }
    return points;
  } finally {
    plans.dispose();
  }
}
