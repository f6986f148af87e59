import { join } from 'node:path';
import { type Pruner, plan, shrink } from '@espalier/core';
import { loadModel, saveModel, useEngine } from '@espalier/engine';
import { magnitude } from '@espalier/pruner-magnitude';
import { nisp } from '@espalier/pruner-nisp';
import { random } from '@espalier/pruner-random';
import { disposeModel, train } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { BenchmarkOptions } from '../benchmark.ts';
import { cacheIn, keyOf } from '../cache.ts';
import { compiled, type Data, loadData, networkFor, widths } from './networks.ts';
import { type LevelName, levels, type MethodName, type NetName, nets, QUICK } from './settings.ts';
import { type Tuned, tune } from './tune.ts';

/** One small network with one seed: all that a worker needs to know. Without a level, the whole network. */
export interface Job extends Pick<BenchmarkOptions, 'engine' | 'quick'> {
  readonly net: NetName;
  readonly seed: number;
  readonly small?: { readonly level: LevelName; readonly method: MethodName };
  /** The folder that keeps what was trained. */
  readonly cache: string;
}

/** What a worker answers. */
export interface Measured extends Tuned {
  /** Where the data came from. */
  readonly dataset: string;
}

/** Who judges, by the seed. */
const pruners: Readonly<Record<Exclude<MethodName, 'from-scratch'>, (seed: number) => Pruner>> = {
  nisp: () => nisp(),
  'nisp-outputs': () => nisp({ last: 'outputs' }),
  magnitude: () => magnitude(),
  random: (seed) => random({ seed }),
};

/** Rows that NISP looks at. */
const CALIBRATION = 5000;

/** Trains one network, or takes what is known of it from the cache. */
export async function measure(job: Job): Promise<Measured> {
  const { net, seed, small, quick } = job;
  const engine = await useEngine(job.engine);
  const data = await loadData(net, quick);
  try {
    const cache = cacheIn(job.cache);
    const key = keyOf([small, quick, engine.name, data.name, nets[net], widths[net], levels]);
    const name = `${[net, ...Object.values(small ?? {})].join('-')}-seed${seed}-${key}`;
    const known = await cache.read<Measured>(name);
    if (known) return known;
    const measured = { ...(await carryOut(job, data)), dataset: data.name };
    await cache.write(name, measured);
    return measured;
  } finally {
    data.dispose();
  }
}

async function carryOut(job: Job, data: Data): Promise<Tuned> {
  const { net, seed, small, quick } = job;
  const { points, batchSize } = nets[net];
  const epochs = quick ? QUICK : nets[net].epochs;
  if (!small) {
    const model = await wholeNet(job, data);
    return tune(model, data, { epochs: 0, points, batchSize, seed });
  }
  if (small.method === 'from-scratch') {
    const left = widths[net].map((units) => units - Math.floor(levels[small.level].fraction * units));
    const args = { epochs: epochs.whole + epochs.tuned, points, batchSize, seed };
    return tune(networkFor(net, data, seed, left), data, args);
  }
  const whole = await wholeNet(job, data);
  const { fraction } = levels[small.level];
  const x = tf.tidy(() => tf.slice(data.train.x, 0, Math.min(CALIBRATION, data.train.x.shape[0]!)));
  const made = await plan(whole, { pruner: pruners[small.method](seed), budget: { fraction }, data: { x } });
  const pruned = await shrink(whole, made);
  x.dispose();
  disposeModel(whole);
  return tune(compiled(pruned, net), data, { epochs: epochs.tuned, points, batchSize, seed });
}

/** The whole network, which all prunings with one seed begin with: the first of them trains it. */
async function wholeNet({ net, seed, quick, cache }: Job, data: Data): Promise<LayersModel> {
  const { batchSize, rate } = nets[net];
  const epochs = quick ? QUICK.whole : nets[net].epochs.whole;
  const key = keyOf([data.name, tf.getBackend(), quick, epochs, batchSize, rate, widths[net]]);
  const path = join(cache, `${net}-whole-seed${seed}-${key}`);
  const kept = await loadModel(path).catch(() => undefined);
  if (kept) return compiled(kept, net);
  const model = networkFor(net, data, seed);
  await train(model, { train: data.train }, { epochs, batchSize, seed });
  await saveModel(model, path);
  return model;
}
