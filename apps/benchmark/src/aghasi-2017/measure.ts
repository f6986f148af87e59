import { join } from 'node:path';
import { holdZeros, pruneWeights, sparsityOf, type WeightPruning } from '@espalier/core';
import { loadModel, savedModel, saveModel, useEngine } from '@espalier/engine';
import { magnitudeWeights } from '@espalier/pruner-magnitude';
import { netTrim } from '@espalier/pruner-nettrim';
import { disposeModel, evaluate } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { BenchmarkOptions } from '../benchmark.ts';
import { type Cache, cacheIn, keyOf } from '../cache.ts';
import { firstOf } from '../data.ts';
import { type Digits, loadDigits, type Rows } from '../digits.ts';
import { compiled, fit, networkFor } from './network.ts';
import { DECAY, LEVELS, type Network, type Recipe } from './paper.ts';

/** One network with one seed: all that a worker needs to know. */
export interface Job extends Pick<BenchmarkOptions, 'engine' | 'quick'> {
  readonly network: Network;
  readonly seed: number;
  /** The folder that keeps trained and pruned networks. */
  readonly cache: string;
}

/** By metric; accuracies and shares in percent, sizes in kB. */
type Figures = Readonly<Record<string, number>>;

/** The figures of one job, by case. */
export interface Measured {
  readonly figures: Readonly<Record<string, Figures>>;
  /** Where the data came from. */
  readonly dataset: string;
}

/** A pruned network in the cache. */
interface Candidate {
  readonly path: string;
  /** The share of all kernels' weights. */
  readonly zeros: number;
  /** In percent, on validation data. */
  readonly validation: number;
}

/** What all steps of one job share. */
interface Bench {
  readonly job: Job;
  readonly digits: Digits;
  readonly cache: Cache;
  /** Stands in the names of all that is kept, with what it depends on. */
  readonly name: string;
}

/** Images of each part in the quick form. */
const FEW = 1000;

function rowsOf({ rows }: Network, quick: boolean): Rows {
  const most = quick ? FEW : Number.POSITIVE_INFINITY;
  return { train: Math.min(rows, most), validation: most, test: most };
}

/** Trains one network, prunes it at each level by both methods, and fine-tunes; what is known already is taken from the cache. */
export async function measure(job: Job): Promise<Measured> {
  const { network, seed, quick } = job;
  const engine = await useEngine(job.engine);
  const digits = await loadDigits(rowsOf(network, quick), 'unit');
  const { rows, conv, hidden, training } = network;
  const key = keyOf([{ rows, conv, hidden, training, DECAY }, quick, engine.name, digits.title]);
  const bench: Bench = { job, digits, cache: cacheIn(job.cache), name: `${network.name}-seed${seed}-${key}` };
  try {
    const from = await trained(bench);
    const unpruned = await figuresOf(bench, from);
    const trimmed = await trimmedBy(bench, from, 'parallel');
    const cascaded = network.cascade ? await trimmedBy(bench, from, 'cascade') : [];
    const figures: Record<string, Figures> = {
      [`${network.name}/unpruned`]: unpruned,
      // what is gained by training on alone
      [`${network.name}/unpruned/tuned`]: await figuresOf(bench, await tunedFrom(bench, from)),
    };
    for (const level of LEVELS) {
      const nettrim = bestAt(trimmed, level / 100);
      if (!nettrim) continue;
      const magnitude = await smallestGone(bench, from, nettrim.zeros);
      const cascade = bestAt(cascaded, level / 100);
      for (const [method, chosen] of Object.entries({ nettrim, ...(cascade && { cascade }), magnitude })) {
        const stages = { pruned: chosen.path, tuned: await tunedFrom(bench, chosen.path) };
        for (const [stage, path] of Object.entries(stages)) {
          const measured = await figuresOf(bench, path);
          const change = measured.accuracy! - unpruned.accuracy!;
          figures[`${network.name}/${level}-percent/${method}/${stage}`] = { ...measured, change };
        }
      }
    }
    return { figures, dataset: digits.title };
  } finally {
    digits.dispose();
  }
}

/** The candidate of at least so many zeros that does best on validation data. */
const bestAt = (candidates: readonly Candidate[], share: number): Candidate | undefined =>
  candidates
    .filter(({ zeros }) => zeros >= share)
    .reduce<Candidate | undefined>(
      (best, one) => (best && best.validation >= one.validation ? best : one),
      undefined,
    );

/** The trained network's folder. */
async function trained({ job, digits, name }: Bench): Promise<string> {
  const { network, seed, quick } = job;
  const path = join(job.cache, name);
  if (await isKept(path)) return path;
  const model = networkFor(network, digits, seed);
  await fit(model, digits.train, shortened(network.training, quick), seed);
  return kept(model, path);
}

const shortened = (recipe: Recipe, quick: boolean): Recipe => (quick ? { ...recipe, epochs: 1 } : recipe);

/**
 * Net-Trim with one epsilon after the other, until enough weights go. The layer before the softmax has a hundredth of the
 * weights, and stays: that did better on validation images at every epsilon.
 */
async function trimmedBy(bench: Bench, from: string, form: 'parallel' | 'cascade'): Promise<Candidate[]> {
  const { job, digits } = bench;
  const search = job.quick ? { patterns: 300, iterations: 20 } : job.network.search;
  const candidates: Candidate[] = [];
  const keep = [`fc${job.network.hidden.length + 1}`];
  for (const epsilon of job.network.epsilons) {
    const data = { x: digits.train.x, batchSize: 500 };
    const what = `${form === 'cascade' ? 'cascade' : 'nettrim'}-${epsilon}-${keyOf([search, keep])}`;
    const pruner = netTrim({ epsilon, form, ...search });
    const found = await candidate(bench, from, what, { pruner, data, keep });
    candidates.push(found);
    if (found.zeros >= Math.max(...LEVELS) / 100) break;
  }
  return candidates;
}

/** As many weights gone by their size: of each layer that share, or of all together, as validation data say. */
async function smallestGone(bench: Bench, from: string, fraction: number): Promise<Candidate> {
  const tried: Candidate[] = [];
  for (const ranking of ['local', 'global'] as const) {
    const pruning = { pruner: magnitudeWeights(), fraction, ranking };
    tried.push(await candidate(bench, from, `magnitude-${ranking}-${fraction.toPrecision(6)}`, pruning));
  }
  return bestAt(tried, 0)!;
}

async function candidate(
  { cache, digits, name }: Bench,
  from: string,
  what: string,
  pruning: WeightPruning,
): Promise<Candidate> {
  const known = await cache.read<Candidate>(`${name}-${what}`);
  if (known) return known;
  const model = compiled(await loadModel(from), 0);
  const { weights, zeros } = await pruneWeights(model, pruning);
  const { accuracy } = await evaluate(model, digits.validation);
  const found = {
    zeros: zeros / weights,
    validation: 100 * accuracy,
    path: await kept(model, `${from}-${what}`),
  };
  await cache.write(`${name}-${what}`, found);
  return found;
}

/** The folder of the network fine-tuned with its zeros held. */
async function tunedFrom({ digits, job }: Bench, from: string): Promise<string> {
  const { network, seed, quick } = job;
  const path = `${from}-tuned-${keyOf(network.tuning)}`;
  if (await isKept(path)) return path;
  const model = await loadModel(from);
  holdZeros(model);
  const { x, y } = firstOf(digits.train, network.tuning.rows);
  try {
    await fit(model, { x, y }, shortened(network.tuning, quick), seed);
  } finally {
    tf.dispose([x, y]);
  }
  return kept(model, path);
}

/** A kept network on test data, with its zeros and its size. */
async function figuresOf({ digits }: Bench, path: string): Promise<Figures> {
  const model = compiled(await loadModel(path), 0);
  const { accuracy } = await evaluate(model, digits.test);
  const { weights, zeros } = await sparsityOf(model);
  const { gzipped } = await savedModel(path);
  disposeModel(model);
  return { accuracy: 100 * accuracy, zeros: (100 * zeros) / weights, gzipped: gzipped / 1000 };
}

const isKept = (path: string): Promise<boolean> =>
  savedModel(path).then(
    () => true,
    () => false,
  );

/** Saves a network and frees it. */
async function kept(model: LayersModel, path: string): Promise<string> {
  await saveModel(model, path);
  disposeModel(model);
  return path;
}
