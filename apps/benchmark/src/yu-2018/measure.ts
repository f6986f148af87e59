import { join } from 'node:path';
import { analyze, groupsInScope, type PlanOptions, type Pruner, plan, shrink } from '@espalier/core';
import { loadModel, saveModel, useEngine } from '@espalier/engine';
import { magnitude } from '@espalier/pruner-magnitude';
import { nisp } from '@espalier/pruner-nisp';
import { random } from '@espalier/pruner-random';
import { cosineRate, disposeModel, train } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { BenchmarkOptions } from '../benchmark.ts';
import { cacheIn, keyOf } from '../cache.ts';
import type { Data } from '../data.ts';
import { compiled, loadData, networkFor, widths } from './networks.ts';
import {
  DECAY,
  type LevelName,
  levels,
  type MethodName,
  methods,
  type NetName,
  nets,
  QUICK,
} from './settings.ts';
import { type Tuned, tune } from './tune.ts';

/** One network with one seed: all that a worker needs to know. */
export interface Job extends Pick<BenchmarkOptions, 'engine' | 'quick'> {
  readonly net: NetName;
  readonly seed: number;
  /** The folder that keeps what was trained. */
  readonly cache: string;
}

/** A small network: how small, and who chose its units. */
export interface Small {
  readonly level: LevelName;
  readonly method: MethodName;
}

/** What a worker answers. */
export interface Measured {
  /** The whole network, as it was trained. */
  readonly whole: Tuned;
  readonly small: readonly (Small & Tuned)[];
  /** Where the data came from. */
  readonly dataset: string;
}

/** Who judges, by the seed. */
const pruners: Readonly<Record<Exclude<MethodName, 'from-scratch'>, (seed: number) => Pruner>> = {
  nisp: () => nisp(),
  'nisp-at-once': () => nisp(),
  magnitude: () => magnitude(),
  random: (seed) => random({ seed }),
};

/** Each method at each size. */
const smalls: readonly Small[] = (Object.keys(levels) as LevelName[]).flatMap((level) =>
  (Object.keys(methods) as MethodName[]).map((method) => ({ level, method })),
);

/** Rows that NISP looks at. */
const CALIBRATION = 5000;

/** Trains one network, and all small ones that come of it, or takes what is known of them from the cache. */
export async function measure(job: Job): Promise<Measured> {
  const engine = await useEngine(job.engine);
  const data = await loadData(job.net, job.quick);
  const cache = cacheIn(job.cache);
  const kept = async (small: Small | undefined): Promise<Tuned> => {
    const key = keyOf([
      small,
      job.quick,
      engine.name,
      data.title,
      nets[job.net],
      widths[job.net],
      DECAY,
      levels,
    ]);
    const name = [job.net, ...Object.values(small ?? { level: 'unpruned' }), `seed${job.seed}`, key].join(
      '-',
    );
    const known = await cache.read<Tuned>(name);
    if (known) return known;
    const tuned = await carryOut(job, small, data);
    await cache.write(name, tuned);
    return tuned;
  };
  try {
    const whole = await kept(undefined);
    const small: (Small & Tuned)[] = [];
    for (const one of smalls) small.push({ ...one, ...(await kept(one)) });
    return { whole, small, dataset: data.title };
  } finally {
    data.dispose();
  }
}

async function carryOut(job: Job, small: Small | undefined, data: Data): Promise<Tuned> {
  const { net, seed, quick } = job;
  const { points, batchSize, rate } = nets[net];
  const epochs = quick ? QUICK : nets[net].epochs;
  const args = { epochs: epochs.tuned, rate, points, batchSize, seed };
  if (!small) return tune(await wholeNet(job, data), data, { ...args, epochs: 0 });
  const { method } = small;
  const { fraction } = levels[small.level];
  if (method === 'from-scratch') {
    const left = widths[net].map((units) => units - Math.floor(fraction * units));
    return tune(networkFor(net, data, seed, left), data, { ...args, epochs: epochs.whole + epochs.tuned });
  }
  const pruning = { pruner: pruners[method](seed), budget: { fraction } };
  const pruned = await prunedNet(await wholeNet(job, data), data, pruning, method === 'nisp');
  return tune(compiled(pruned, net), data, args);
}

/** The smaller network; the given one is disposed. `backwards`: layer by layer, the last hidden one first. */
async function prunedNet(
  whole: LayersModel,
  data: Data,
  pruning: Pick<PlanOptions, 'pruner' | 'budget'>,
  backwards: boolean,
): Promise<LayersModel> {
  const groups = groupsInScope(analyze(whole)).map(({ id }) => id);
  const x = tf.tidy(() => tf.slice(data.train.x, 0, Math.min(CALIBRATION, data.train.x.shape[0]!)));
  let model = whole;
  for (const scope of backwards ? groups.toReversed().map((id) => [id]) : [groups]) {
    const smaller = await shrink(model, await plan(model, { ...pruning, scope, data: { x } }));
    disposeModel(model);
    model = smaller;
  }
  x.dispose();
  return model;
}

/** The whole network, which all prunings with one seed begin with: the first of them trains it. */
async function wholeNet({ net, seed, quick, cache }: Job, data: Data): Promise<LayersModel> {
  const { batchSize, rate } = nets[net];
  const learningRate = cosineRate(rate);
  const epochs = quick ? QUICK.whole : nets[net].epochs.whole;
  const key = keyOf([data.title, tf.getBackend(), quick, epochs, batchSize, rate, DECAY, widths[net]]);
  const path = join(cache, `${net}-whole-seed${seed}-${key}`);
  const kept = await loadModel(path).catch(() => undefined);
  if (kept) return compiled(kept, net);
  const model = networkFor(net, data, seed);
  await train(model, { train: data.train }, { epochs, batchSize, learningRate, seed });
  await saveModel(model, path);
  return model;
}
