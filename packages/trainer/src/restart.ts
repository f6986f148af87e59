import { oneShot, type Plan, type Scope } from '@espalier/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkTraining } from './check-training.ts';
import { disposeModel } from './dispose.ts';
import { evaluate } from './evaluate.ts';
import { freshModel } from './fresh.ts';
import type { TrainPruning } from './phase.ts';
import type { AttemptEvent, EpochEvent } from './record.ts';
import { nextSizes } from './restart-sizes.ts';
import { type Sizes, sizesOf } from './sizes.ts';
import { train } from './train.ts';
import type { TrainingData, TrainOptions } from './train-options.ts';

/** What the search needs to know; which groups lose units as for `plan`. */
export interface RestartOptions extends Scope {
  /** How every network is trained. The first training of each size has this seed, the next ones those after it. */
  readonly training: Pick<
    TrainOptions,
    'epochs' | 'batchSize' | 'learningRate' | 'seed' | 'noise' | 'earlyStopping' | 'onProgress'
  >;
  /**
   * Who says which of several groups lose units: each loses in proportion to what would be removed of it
   * after the training. Without it, in proportion to its size.
   */
  readonly pruning?: Pick<TrainPruning, 'pruner' | 'budget' | 'ranking' | 'calibration'>;
  /** How many units fewer to begin with; then steps halve, down to one. Default 1: one by one. */
  readonly step?: number;
  /** By how many points of validation accuracy a network may fall behind that of the full size. Default 0.5. */
  readonly tolerance?: number;
  /** No network has fewer units, over all groups. Default 1. */
  readonly least?: number;
  /**
   * Trainings of each size, over whose validation accuracy the mean is taken. Default 1; but a difference of
   * half a point between two single trainings is mostly luck.
   */
  readonly seeds?: number;
  /** The attempts of an interrupted search with the same options: they are taken as they are. */
  readonly done?: readonly AttemptEvent[];
  /** Told of each attempt as it ends, with the best of its networks, which is disposed if it doesn't hold. */
  readonly onAttempt?: (event: AttemptEvent, model: LayersModel) => void | Promise<void>;
}

/** What a search leaves. */
export interface RestartResult {
  /** Of the smallest size that held, the network that did best on validation data. */
  readonly model: LayersModel;
  readonly units: Readonly<Record<string, number>>;
  /** The search, in order. */
  readonly attempts: readonly AttemptEvent[];
  /** The training of `model`. */
  readonly epochs: readonly EpochEvent[];
}

/** A trained network. */
interface Trained {
  readonly model: LayersModel;
  readonly seed: number;
  readonly accuracy: number;
  readonly epochs: readonly EpochEvent[];
  /** What the pruner found to spare in each group, if it was asked. */
  readonly spare: Sizes | undefined;
}

interface Search {
  readonly template: LayersModel;
  readonly data: Required<TrainingData>;
  readonly options: RestartOptions;
  /** The networks that were made and not disposed yet. */
  readonly alive: Set<LayersModel>;
}

/**
 * Looks for the smallest network that does as well: trains one of the full size, then one with fewer units from
 * a new initialisation, and so on while the accuracy on validation data holds. What a pruner learns is only
 * which groups have units to spare (the second way to prune in Singh, Sensitivity based Pruning hidden
 * Neurons, 2018: "restart").
 *
 * The given model says what to build and how to compile it; it is not trained, and its weights count only
 * where layers are frozen. A network's weights and the order of its examples follow from its seed and size
 * alone, so an interrupted search that goes on comes out as if nothing had happened, on the same engine.
 *
 * @throws as `checkRestart` does, if a training diverges, or `done` is of another search.
 */
export async function restart(
  model: LayersModel,
  data: Required<TrainingData>,
  options: RestartOptions,
): Promise<RestartResult> {
  checkRestart(model, options);
  const search: Search = { template: model, data, options, alive: new Set() };
  const { step = 1, least = 1, done = [], onAttempt } = options;
  const attempts: AttemptEvent[] = [];
  let kept: Trained | undefined;
  try {
    let sizes: Sizes | undefined = sizesOf(model, options);
    for (; sizes; sizes = nextSizes(attempts, { step, least })) {
      const known = done[attempts.length];
      if (known) {
        attempts.push(checkSame(known, sizes));
        continue;
      }
      const { event, best } = await attempt(search, sizes, attempts);
      await onAttempt?.(event, best.model);
      attempts.push(event);
      if (event.held) kept = best;
      dropAllBut(search, kept);
    }
    const held = attempts.findLast((attempt) => attempt.held)!;
    const units = unitsOf(held);
    // it may have been trained before an interruption
    kept ??= await trainOne(search, units, bestOf(held.trials).seed);
    search.alive.delete(kept.model);
    return { model: kept.model, units, attempts, epochs: kept.epochs };
  } finally {
    dropAllBut(search, undefined);
  }
}

function dropAllBut({ alive }: Search, kept: Trained | undefined): void {
  for (const model of alive) {
    if (model === kept?.model) continue;
    alive.delete(model);
    disposeModel(model);
  }
}

/** The first of those that did best. */
const bestOf = <T extends { readonly accuracy: number }>(trained: readonly T[]): T =>
  trained.reduce((best, one) => (one.accuracy > best.accuracy ? one : best));

const unitsOf = ({ groups }: AttemptEvent): Sizes =>
  Object.fromEntries(groups.map(({ id, units }) => [id, units]));

/** Trains networks of one size, and says whether it holds against the first attempt. */
async function attempt(
  search: Search,
  sizes: Sizes,
  attempts: readonly AttemptEvent[],
): Promise<{ readonly event: AttemptEvent; readonly best: Trained }> {
  const { training, tolerance = 0.5, seeds = 1 } = search.options;
  const start = performance.now();
  const trained: Trained[] = [];
  for (let i = 0; i < seeds; i++) trained.push(await trainOne(search, sizes, (training.seed ?? 0) + i));
  const best = bestOf(trained);
  const accuracy = trained.reduce((sum, one) => sum + one.accuracy, 0) / seeds;
  const target = attempts[0]?.target ?? accuracy - tolerance / 100;
  const groups = Object.entries(sizes).map(([id, units]) => {
    const spare = best.spare?.[id];
    return { id, units, ...(spare !== undefined && { spare }) };
  });
  const event: AttemptEvent = {
    type: 'attempt',
    attempt: attempts.length,
    groups,
    trials: trained.map(({ seed, epochs, accuracy }) => ({ seed, epochs: epochs.length, accuracy })),
    accuracy,
    target,
    // the small term undoes the rounding of means
    held: accuracy >= target - 1e-9,
    seconds: (performance.now() - start) / 1000,
  };
  return { event, best };
}

async function trainOne(
  { template, data, options, alive }: Search,
  sizes: Sizes,
  seed: number,
): Promise<Trained> {
  const model = await freshModel(template, sizes, `${seed}/${JSON.stringify(sizes)}`);
  alive.add(model);
  const trained = await train(model, data, { ...trainingOf(options, Object.keys(sizes)), seed });
  // the pruner's own smaller network is not what is looked for
  if (trained.model !== model) disposeModel(trained.model);
  const { accuracy } = await evaluate(model, data.validation);
  const plan = trained.plans.at(-1);
  return {
    model,
    seed,
    accuracy,
    epochs: trained.events.filter((event): event is EpochEvent => event.type === 'epoch'),
    spare: plan && spareOf(plan, Object.keys(sizes)),
  };
}

/** A plan leaves out the groups that keep all. */
function spareOf({ groups }: Plan, ids: readonly string[]): Sizes {
  const removed = new Map(groups.map(({ id, remove }) => [id, remove.length]));
  return Object.fromEntries(ids.map((id) => [id, removed.get(id) ?? 0]));
}

/** A training after which the pruner is asked, if there are several groups to choose from. */
function trainingOf({ training, pruning }: RestartOptions, scope: readonly string[]): TrainOptions {
  if (!pruning || scope.length < 2) return training;
  return { ...training, pruning: { ...pruning, scope, schedule: oneShot({ after: 1 }) } };
}

/** @throws if an attempt that is done is not the one that the search would make. */
function checkSame(done: AttemptEvent, sizes: Sizes): AttemptEvent {
  const [made, wanted] = [unitsOf(done), sizes].map((one) => JSON.stringify(Object.entries(one).sort()));
  if (made === wanted) return done;
  throw new Error(
    `[trainer] attempt ${done.attempt} is of another search: it has ${made}, not ${wanted}. Go on with the options ` +
      'that the search began with, or begin anew',
  );
}

/**
 * What `restart` looks at before it begins.
 *
 * @throws if the model is not compiled, or an option makes no sense.
 */
export function checkRestart(model: LayersModel, options: RestartOptions): void {
  const { training, pruning, step = 1, tolerance = 0.5, least = 1, seeds = 1 } = options;
  for (const [name, value] of Object.entries({ step, least, seeds })) {
    if (!Number.isInteger(value) || value < 1)
      throw new Error(`[trainer] ${name} must be a whole number of at least 1, got ${value}`);
  }
  if (!(tolerance >= 0 && tolerance <= 100))
    throw new Error(`[trainer] tolerance must be between 0 and 100 points of accuracy, got ${tolerance}`);
  if (pruning && training.earlyStopping) {
    throw new Error(
      '[trainer] restart asks the pruner after the last epoch, which early stopping may leave out: give one of ' +
        'pruning and training.earlyStopping',
    );
  }
  checkTraining(model, trainingOf(options, Object.keys(sizesOf(model, options))));
}
