import { polynomial } from '@espalier/core';
import { disposeModel, type TrainPruning } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { BenchmarkOptions } from '../benchmark.ts';
import { cacheIn, keyOf } from '../cache.ts';
import type { Data } from '../data.ts';
import { compiled, fit, networkFor } from '../singh-2018/network.ts';
import { DEEP, EPOCHS, HIDDEN } from '../singh-2018/paper.ts';
import { compensations, criteria } from './methods.ts';
import { type Point, pointOf } from './size.ts';

/** A net for the letters with one seed: 60-45-30 from scratch, or one three times as wide, pruned to its size. */
export interface WideJob extends Pick<BenchmarkOptions, 'engine' | 'quick'> {
  readonly kind: 'narrow' | 'wide';
  readonly net: 'letters';
  readonly seed: number;
  readonly cache: string;
}

/**
 * Of as many epochs as the narrow net trains for, some belong to the whole wide one; in the first part of the others units
 * go, much at first. Epochs, rates, criterion and compensation had the best accuracy on validation data among those
 * tried.
 */
const WIDE = {
  ...{ times: 3, criterion: 'contribution', compensation: 'refit' },
  whole: { epochs: 20, rate: 0.4 },
  pruned: { epochs: EPOCHS.whole - 20, rate: 0.6, every: 3, until: 0.3 },
} as const;
const QUICK_EPOCHS = 3;

/** Trains one of the two, or takes what is known of it from the cache. */
export async function wide(job: WideJob, data: Data): Promise<Readonly<Record<string, readonly Point[]>>> {
  const { kind, seed, quick } = job;
  const cache = cacheIn(job.cache);
  const entry = `${kind}-seed${seed}-${keyOf([quick, tf.getBackend(), data.title, DEEP, EPOCHS, HIDDEN, WIDE])}`;
  const kept = await cache.read<Point>(entry);
  if (kept) return { [kind]: [kept] };
  const model = await (kind === 'wide' ? prunedFromWide(job, data) : fromScratch(job, data));
  const point = await pointOf(model, data, 1);
  disposeModel(model);
  await cache.write(entry, point);
  return { [kind]: [point] };
}

const hidden = Object.values(HIDDEN);

async function fromScratch({ seed, quick }: WideJob, data: Data): Promise<LayersModel> {
  const model = networkFor(data, { hidden, l2: DEEP.l2, seed }, DEEP);
  const epochs = quick ? 2 * QUICK_EPOCHS : EPOCHS.whole;
  return (await fit(model, data, { ...DEEP, epochs, seed })).model;
}

async function prunedFromWide({ seed, quick }: WideJob, data: Data): Promise<LayersModel> {
  const { times, whole, pruned } = WIDE;
  const most = networkFor(data, { hidden, seed }, DEEP);
  const params = most.countParams();
  disposeModel(most);
  const widths = hidden.map((units) => times * units);
  const first = networkFor(data, { hidden: widths, l2: DEEP.l2, seed }, { ...DEEP, rate: whole.rate });
  const epochsOf = (full: number): number => (quick ? QUICK_EPOCHS : full);
  const begun = await fit(first, data, { ...DEEP, ...whole, epochs: epochsOf(whole.epochs), seed });
  const { rate, epochs, every, until } = pruned;
  const pruning: TrainPruning = {
    pruner: criteria[WIDE.criterion]!(seed),
    compensation: compensations[WIDE.compensation]!(),
    budget: { params },
    ranking: 'global',
    schedule: polynomial(quick ? { until } : { every, until }),
  };
  const model = compiled(begun.model, { ...DEEP, rate });
  // another order of the examples than before
  const args = { ...DEEP, rate, epochs: epochsOf(epochs), seed: seed + 1000, pruning };
  return (await fit(model, data, args)).model;
}
