import { judge, plan, type ScorePruner, shrink, type WatchCallback, watch } from '@espalier/core';
import { loadDataset, take, toTensors } from '@espalier/datasets';
import { useEngine } from '@espalier/engine';
import { type Activation, mlp } from '@espalier/models';
import { badness } from '@espalier/pruner-badness';
import { contribution } from '@espalier/pruner-contribution';
import { random } from '@espalier/pruner-random';
import { relevance } from '@espalier/pruner-relevance';
import { sensitivity, stepAngle } from '@espalier/pruner-sensitivity';
import { disposeModel, type Examples, evaluate } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { BenchmarkOptions } from '../benchmark.ts';
import { firstOf } from '../data.ts';
import { spearman } from './spearman.ts';

/** One small net with one seed: all that a worker needs to know. */
export interface Job extends Pick<BenchmarkOptions, 'engine' | 'quick'> {
  readonly net: Net;
  readonly seed: number;
}

export interface Net {
  readonly dataset: 'letters' | 'glyphs';
  readonly units: number;
  readonly activation: Activation;
}

/** How well each criterion's order agrees with the loss really measured without each unit. */
export interface Measured {
  readonly correlations: Readonly<Record<string, number>>;
  /** On the rows that it was trained and judged on: 0 to 1. */
  readonly accuracy: number;
}

/** The layer whose units are judged. */
const HIDDEN = 'fc1';
const TRAINING = { rows: 4000, epochs: 30, batchSize: 64, rate: 0.005 } as const;

/** A budget that takes every unit it may. */
const ALL_BUT_ONE = 0.9999;

/** What looks at the trained net, and what must see it train. */
const judging = (seed: number): Readonly<Record<string, ScorePruner>> => ({
  'relevance-exact': relevance({ order: 'exact' }),
  relevance: relevance({ order: 2 }),
  'relevance-first-order': relevance(),
  contribution: contribution(),
  'contribution-variance': contribution({ measure: 'variance' }),
  badness: badness(),
  random: random({ seed }),
});
const training: Readonly<Record<string, () => ScorePruner>> = {
  sensitivity: () => sensitivity(),
  'sensitivity-outgoing': () => sensitivity({ of: 'outgoing' }),
  'step-angle': () => stepAngle(),
};

/** Trains one net, lets all criteria judge it, and measures what they should have said. */
export async function measure({ net, seed, engine, quick }: Job): Promise<Measured> {
  await useEngine(engine);
  const data = await loadDataset(net.dataset, net.dataset === 'letters' ? { fallback: 'glyphs' } : {});
  const examples = toTensors(data, take(data.train, quick ? TRAINING.rows / 4 : TRAINING.rows));
  const model = mlp({
    inputs: data.inputShape.length === 1 ? data.inputShape[0]! : data.inputShape,
    hidden: [net.units],
    classes: data.classes.length,
    activation: net.activation,
    seed,
  });
  try {
    const scores = await trainedScores(model, examples, quick ? 3 : TRAINING.epochs);
    const { loss, accuracy } = await evaluate(model, examples);
    Object.assign(scores, await judgedScores(model, examples, judging(seed)));
    Object.assign(scores, await sampledScores(model, examples));
    const costs = await removalCosts(model, examples, net.units, loss);
    const correlations = Object.fromEntries(
      Object.entries(scores).map(([name, values]) => [name, spearman(values, costs)]),
    );
    return { correlations, accuracy };
  } finally {
    disposeModel(model);
    tf.dispose([examples.x, examples.y]);
  }
}

/** By criterion: the units' scores from the training itself. */
async function trainedScores(
  model: LayersModel,
  { x, y }: Examples,
  epochs: number,
): Promise<Record<string, number[]>> {
  const { batchSize, rate } = TRAINING;
  model.compile({ optimizer: tf.train.adam(rate), loss: 'categoricalCrossentropy' });
  const watching: [string, WatchCallback][] = Object.entries(training).map(([name, make]) => [
    name,
    watch({ pruner: make(), scope: [HIDDEN] }),
  ]);
  await model.fit(x, y, { epochs, batchSize, verbose: 0, callbacks: watching.map(([, one]) => one) });
  const scores: Record<string, number[]> = {};
  for (const [name, one] of watching) {
    // the last unit always stays: it is the one with the highest score
    const { remove, scores: planned, size } = (await one.plan({ fraction: ALL_BUT_ONE })).groups[0]!;
    scores[name] = new Array<number>(size).fill(Number.POSITIVE_INFINITY);
    remove.forEach((unit, i) => {
      scores[name]![unit] = planned[i]!;
    });
    one.dispose();
  }
  return scores;
}

/** By criterion: the units' scores by one pass over the rows. */
async function judgedScores(
  model: LayersModel,
  data: Examples,
  pruners: Readonly<Record<string, ScorePruner>>,
): Promise<Record<string, number[]>> {
  const verdicts = await judge(model, { pruners: Object.values(pruners), scope: [HIDDEN], data });
  return Object.fromEntries(
    Object.keys(pruners).map((name, i) => {
      const { size, proposals } = verdicts[i]!.groups[0]!;
      const scores = new Array<number>(size);
      for (const { unit, score } of proposals) scores[unit] = score;
      return [name, scores];
    }),
  );
}

/** Exact relevance as a user pays for it: by some of the rows. */
const sampledScores = async (model: LayersModel, { x, y }: Examples): Promise<Record<string, number[]>> => {
  const rows = Math.round(x.shape[0]! / 4);
  const some = firstOf({ x, y }, rows);
  try {
    return await judgedScores(model, some, { 'relevance-exact-quarter': relevance({ order: 'exact' }) });
  } finally {
    tf.dispose([some.x, some.y]);
  }
};

/** The loss on the rows without each unit, minus the loss with all: each is really taken out. */
async function removalCosts(
  model: LayersModel,
  examples: Examples,
  units: number,
  loss: number,
): Promise<number[]> {
  const costs: number[] = [];
  for (let unit = 0; unit < units; unit++) {
    const found = await plan(model, { pruner: theOne(unit), scope: [HIDDEN], budget: { count: 1 } });
    const smaller = await shrink(model, found);
    costs.push((await evaluate(smaller, examples)).loss - loss);
    disposeModel(smaller);
  }
  return costs;
}

/** Lets one unit go before all others. */
const theOne = (unit: number): ScorePruner => ({
  name: `unit ${unit}`,
  score: ({ bias }) => tf.oneHot(tf.scalar(unit, 'int32'), bias.shape[0], 0, 1),
});
