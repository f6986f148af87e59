import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  addOutgoing,
  type CalibrationData,
  type Compensation,
  foldMean,
  leastSquares,
  none,
  type Pruner,
  planner,
  scaleOutgoing,
  shrink,
} from '@espalier/core';
import { type Dataset, loadDataset, take, toTensors } from '@espalier/datasets';
import { loadModel, saveModel, useEngine } from '@espalier/engine';
import { lenet } from '@espalier/models';
import { angle } from '@espalier/pruner-angle';
import { random } from '@espalier/pruner-random';
import { reconstruction } from '@espalier/pruner-reconstruction';
import { disposeModel, type Examples, evaluate, train } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { BenchmarkOptions } from '../benchmark.ts';
import { HIDDEN, type PaperNet, TRAINING, UPPER } from './paper.ts';

/** One net with one seed: all that a worker needs to know. */
export interface Job extends Pick<BenchmarkOptions, 'engine' | 'quick'> {
  readonly net: PaperNet;
  readonly seed: number;
  /** The folder that keeps trained nets. */
  readonly cache: string;
}

/** A figure of one net with one seed. `value` of accuracies is in percent. */
export interface Measurement {
  readonly case: string;
  readonly metric: 'accuracy' | 'units' | 'seconds';
  readonly value: number;
}

export interface Measured {
  readonly measurements: readonly Measurement[];
  /** Where the data came from. */
  readonly dataset: string;
}

interface Method {
  readonly name: string;
  readonly pruner: Pruner;
  readonly compensation: Compensation;
}

/** The paper's method, the same pairs with other compensations, what is better without retraining, and the baseline. */
const methods = (seed: number): readonly Method[] => [
  { name: 'angle-add', pruner: angle(), compensation: addOutgoing() },
  { name: 'angle-scale', pruner: angle(), compensation: scaleOutgoing() },
  { name: 'angle-mean', pruner: angle(), compensation: foldMean() },
  { name: 'angle-none', pruner: angle(), compensation: none() },
  { name: 'angle-least-squares', pruner: angle(), compensation: leastSquares() },
  { name: 'angle-weighted', pruner: angle(), compensation: leastSquares({ weighted: true }) },
  ...ofAnyCount(seed),
];

/** Those that take away as many units as one likes; pairs are half of all units at most. */
const ofAnyCount = (seed: number): readonly Method[] => [
  { name: 'reconstruction-least-squares', pruner: reconstruction(), compensation: leastSquares() },
  {
    name: 'reconstruction-weighted',
    pruner: reconstruction(),
    compensation: leastSquares({ weighted: true }),
  },
  { name: 'random-none', pruner: random({ seed }), compensation: none() },
  { name: 'random-least-squares', pruner: random({ seed }), compensation: leastSquares() },
];

/** The paper's bounds say who is like whom, and the cost of the refit which of them go. */
const withinBounds = (lower: number): Method => ({
  name: 'bounds-weighted',
  pruner: reconstruction({ among: angle({ lower, upper: UPPER }) }),
  compensation: leastSquares({ weighted: true }),
});

/** Trains one net (or takes it from the cache) and prunes it by every row of its table. */
export async function measure(job: Job): Promise<Measured> {
  const engine = await useEngine(job.engine);
  const { normalize } = TRAINING;
  const data = await loadDataset('mnist', { validation: 0, normalize, fallback: 'glyphs' });
  const rows = job.quick ? { train: 6000, test: 2000 } : { train: data.train.rows, test: data.test.rows };
  const calibrated = job.quick ? 1000 : Math.min(20_000, rows.train);
  const examples = examplesOf(data, rows);
  try {
    const model = await trained(job, engine.name, data, examples.train);
    const calibration = tf.tidy(() => tf.slice(examples.train.x, 0, calibrated));
    const measurements = await pruneByAllRows(job, model, { x: calibration, batchSize: 500 }, examples.test);
    calibration.dispose();
    disposeModel(model);
    return { measurements, dataset: `${data.name}${data.note ? ` (${data.note})` : ''}` };
  } finally {
    tf.dispose([examples.train.x, examples.train.y, examples.test.x, examples.test.y]);
  }
}

function examplesOf(
  data: Dataset,
  rows: { readonly train: number; readonly test: number },
): { train: Examples; test: Examples } {
  return {
    train: toTensors(data, take(data.train, rows.train)),
    test: toTensors(data, take(data.test, rows.test)),
  };
}

async function trained(
  { net, seed, cache, quick }: Job,
  engine: string,
  data: Dataset,
  examples: Examples,
): Promise<LayersModel> {
  const { optimizer, rate, momentum, batchSize } = TRAINING;
  const epochs = quick ? 2 : TRAINING.epochs;
  const model = lenet({
    conv: net.conv,
    dense: [HIDDEN],
    seed,
    inputShape: data.inputShape,
    classes: data.classes.length,
  });
  const settings = { ...TRAINING, epochs, rows: examples.x.shape[0]! };
  const folder = join(
    cache,
    [net.name, `seed${seed}`, data.name, engine, settingsKey(model, settings)].join('-'),
  );
  const compile = {
    optimizer: tf.train[optimizer](rate, momentum),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  };
  const kept = await loadModel(folder).catch(() => undefined);
  if (kept) {
    model.dispose();
    kept.compile(compile);
    return kept;
  }
  model.compile(compile);
  await train(model, { train: examples }, { epochs, batchSize, seed });
  await saveModel(model, folder);
  return model;
}

/** Tells nets apart that were trained in different ways: a few letters for the settings and the layers. */
export function settingsKey(model: LayersModel, settings: Readonly<Record<string, unknown>>): string {
  const layers = model.layers.map((layer) => [layer.getClassName(), layer.getConfig()]);
  return createHash('sha256')
    .update(JSON.stringify([settings, layers]))
    .digest('hex')
    .slice(0, 10);
}

async function pruneByAllRows(
  { net, seed }: Job,
  model: LayersModel,
  data: CalibrationData,
  test: Examples,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  const record = (name: string, metric: Measurement['metric'], value: number) =>
    measurements.push({ case: `${net.name}/${name}`, metric, value });

  /** Plans by one judgement, as many as there are counts; without a count by the pruner's own bounds. */
  const prune = async (
    { name, ...method }: Method,
    counts: readonly (readonly [part: string, count: number | undefined])[],
  ) => {
    const judged = await planner(model, { ...method, scope: ['flatten'], data });
    for (const [part, count] of counts) {
      const made = await judged.plan(count === undefined ? undefined : { count });
      const smaller = await shrink(model, made);
      const { accuracy } = await evaluate(smaller, test);
      record(`${part}/${name}`, 'accuracy', 100 * accuracy);
      disposeModel(smaller);
      const gone = made.groups.find(({ id }) => id === 'flatten')?.remove.length ?? 0;
      if (gone !== count) record(`${part}/${name}`, 'units', gone);
    }
    judged.dispose();
  };
  const partOf = (count: number) => [`${count}-of-${net.units}`, count] as const;

  record('unpruned', 'accuracy', 100 * (await evaluate(model, test)).accuracy);
  for (const { lower, pruned } of net.rows) {
    const paper = { name: 'angle-add', pruner: angle({ lower, upper: UPPER }), compensation: addOutgoing() };
    await prune(paper, [[`bounds-${lower}-${UPPER}`, undefined]]);
    await prune(withinBounds(lower), [partOf(pruned)]);
  }
  const counts = net.rows.map(({ pruned }) => partOf(pruned));
  const open = new Set(ofAnyCount(seed).map(({ name }) => name));
  for (const method of methods(seed)) {
    await prune(method, open.has(method.name) ? [...counts, partOf(net.far)] : counts);
  }
  return measurements;
}
