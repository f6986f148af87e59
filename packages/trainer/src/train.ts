import {
  type Budget,
  type CalibrationData,
  type Plan,
  type Pruning,
  plan,
  prune,
  pruningEpochs,
  type Schedule,
  shrink,
  type WatchCallback,
  watch,
} from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { CustomCallback, type LayersModel } from '@tensorflow/tfjs-layers';
import { disposeModel } from './dispose.ts';
import { type EarlyStopping, Stopper, type StoppingState } from './early-stopping.ts';
import type { Examples } from './evaluate.ts';
import { pruneEvent } from './events.ts';
import type { EpochEvent, RunEvent } from './record.ts';
import { BudgetSteps, sizesOf } from './schedule.ts';
import { withSeed } from './seed.ts';

/** Tensors to train on. They are not disposed. */
export interface TrainingData {
  readonly train: Examples;
  readonly validation?: Examples;
}

/** Prunings in the middle of a training. */
export interface TrainPruning extends Pruning, Schedule {
  /**
   * What units are judged on at each pruning. By default the first 2,000 training examples. Pruners that look
   * at the optimizer's updates watch the training itself instead.
   */
  readonly calibration?: CalibrationData;
}

/** Where a training stands after an epoch. */
export interface TrainState {
  readonly model: LayersModel;
  /** Epochs done, from the start of the run. */
  readonly epoch: number;
  /** How many units each group that is pruned had when the run began. */
  readonly sizes: Readonly<Record<string, number>>;
  /** How long early stopping has waited. */
  readonly stopping?: StoppingState;
}

/** How to train, and whom to tell. */
export interface TrainOptions {
  /** The last epoch, counted from the start of the run. */
  readonly epochs: number;
  /** Default 64. */
  readonly batchSize?: number;
  readonly pruning?: TrainPruning;
  /** Orders the examples and seeds dropout. The same seed on the same engine gives the same weights. Default 0. */
  readonly seed?: number;
  /** By the validation loss; by the training loss without validation data. */
  readonly earlyStopping?: EarlyStopping;
  /** Where the run stood that goes on; its model is the one to train. */
  readonly resume?: Omit<TrainState, 'model'>;
  /** Told of every event as it happens. */
  readonly onEvent?: (event: RunEvent) => void | Promise<void>;
  /** Told of each pruning before it is carried out, with the epochs done: save the plan here. */
  readonly onPlan?: (plan: Plan, epoch: number) => void | Promise<void>;
  /** Told after every epoch (and the pruning that may follow it): save a checkpoint here. */
  readonly onEpochEnd?: (state: TrainState) => void | Promise<void>;
  /** Told after each batch, with how much of the epoch is done, 0 to 1: draw progress here. */
  readonly onProgress?: (epoch: number, done: number) => void;
}

/** What a training leaves. */
export interface TrainResult {
  /** The trained model: the given one, or a smaller one if units were removed. */
  readonly model: LayersModel;
  readonly events: readonly RunEvent[];
  /** What was removed, in order. Each plan is for the model that the one before it left. */
  readonly plans: readonly Plan[];
  /** Why the training ended before its last epoch, if it did. */
  readonly stopped?: string;
}

/**
 * Trains a compiled model, and really removes units on the way: between two epochs it plans, shrinks and
 * goes on with the smaller model and the optimizer's state carried over.
 *
 * The given model is trained in place until the first pruning. Models in between are disposed, also when
 * the training fails. Trainings that run at once take turns, an epoch each.
 *
 * @throws if the model is not compiled, an option makes no sense, the loss becomes NaN, or a pruner fails.
 */
export async function train(
  model: LayersModel,
  data: TrainingData,
  options: TrainOptions,
): Promise<TrainResult> {
  const { epochs, pruning, seed = 0, resume, onEvent, onPlan, onEpochEnd } = options;
  checkTraining(model, options);
  const events: RunEvent[] = [];
  const plans: Plan[] = [];
  const emit = async (event: RunEvent) => {
    events.push(event);
    await onEvent?.(event);
  };
  const stopper = new Stopper(options.earlyStopping, resume?.stopping);
  const prunings = pruning ? pruningEpochs(pruning, epochs) : [];
  const steps = pruning && new BudgetSteps(pruning, resume?.sizes ?? sizesOf(model, pruning.scope));
  let current = model;
  let watching = pruning && startWatch(pruning);
  try {
    for (let epoch = resume?.epoch ?? 0; epoch < epochs && !stopper.isOver; epoch++) {
      const event = await withSeed(`${seed}/${epoch}`, () =>
        fitEpoch(current, data, options, epoch, watching),
      );
      await emit(event);
      const due = prunings.indexOf(epoch + 1);
      if (pruning && due >= 0) {
        const budget = steps?.budgetOf(current, due + 1, prunings.length);
        const made = watching ? await watching.plan(budget) : await planNow(current, data, pruning, budget);
        await onPlan?.(made, epoch + 1);
        if (made.groups.some(({ remove }) => remove.length > 0)) {
          const smaller = await shrink(current, made);
          watching?.dispose();
          if (current !== model) disposeModel(current);
          current = smaller;
          watching = startWatch(pruning);
        }
        plans.push(made);
        await emit(pruneEvent(made, epoch + 1));
        stopper.reset();
      } else {
        stopper.epochEnd(event.valLoss ?? event.loss);
      }
      await onEpochEnd?.({
        model: current,
        epoch: epoch + 1,
        sizes: steps?.sizes ?? {},
        ...(options.earlyStopping && { stopping: stopper.state }),
      });
    }
  } catch (error) {
    watching?.dispose();
    if (current !== model) disposeModel(current);
    throw error;
  }
  watching?.dispose();
  const stopped = stopper.isOver ? `no better loss for ${stopper.patience} epochs` : undefined;
  return { model: current, events, plans, ...(stopped !== undefined && { stopped }) };
}

/** Pruners that look at updates must see the training itself; others judge the model as it stands. */
function startWatch(pruning: TrainPruning): WatchCallback | undefined {
  return pruning.pruner.needs?.includes('updates') ? watch(pruning) : undefined;
}

async function planNow(
  model: LayersModel,
  { train: examples }: TrainingData,
  { calibration, ...pruning }: TrainPruning,
  budget: Budget | undefined,
): Promise<Plan> {
  const settings = budget ? { ...pruning, budget } : pruning;
  if (calibration) return plan(model, { ...settings, data: calibration });
  const count = Math.min(2000, examples.x.shape[0]!);
  const [x, y] = tf.tidy(() => [tf.slice(examples.x, 0, count), tf.slice(examples.y, 0, count)]);
  try {
    return await plan(model, { ...settings, data: { x, y } });
  } finally {
    tf.dispose([x, y]);
  }
}

async function fitEpoch(
  model: LayersModel,
  { train: examples, validation }: TrainingData,
  { batchSize = 64, onProgress }: TrainOptions,
  epoch: number,
  watching: WatchCallback | undefined,
): Promise<EpochEvent> {
  const start = performance.now();
  const batches = Math.ceil(examples.x.shape[0]! / batchSize);
  let diverged = false;
  const guard = new CustomCallback({
    onBatchEnd: (batch, logs) => {
      diverged ||= !Number.isFinite(logs?.loss);
      // there is no use in going on, and the weights are lost
      if (diverged) model.stopTraining = true;
      onProgress?.(epoch + 1, (batch + 1) / batches);
    },
  });
  const { history } = await model.fit(examples.x, examples.y, {
    batchSize,
    epochs: epoch + 1,
    initialEpoch: epoch,
    verbose: 0,
    callbacks: watching ? [watching, guard] : [guard],
    ...(validation && { validationData: [validation.x, validation.y] as [tf.Tensor, tf.Tensor] }),
  });
  const last = (...names: readonly string[]) => {
    const name = names.find((key) => history[key] !== undefined);
    return name === undefined ? undefined : (history[name]!.at(-1) as number);
  };
  const loss = last('loss');
  // some engines' losses hide weights that are NaN
  if (diverged || loss === undefined || !Number.isFinite(loss) || !(await hasFiniteWeights(model))) {
    throw new Error(
      `[trainer] the training diverged in epoch ${epoch + 1} (loss ${loss}): lower the learning rate, or look for ` +
        `NaN in the data${epoch > 0 ? '. Earlier checkpoints, if there are any, are as they were' : ''}`,
    );
  }
  const [accuracy, valLoss, valAccuracy] = [
    last('acc', 'accuracy'),
    last('val_loss'),
    last('val_acc', 'val_accuracy'),
  ];
  return {
    type: 'epoch',
    epoch: epoch + 1,
    loss,
    ...(accuracy !== undefined && { accuracy }),
    ...(valLoss !== undefined && { valLoss }),
    ...(valAccuracy !== undefined && { valAccuracy }),
    seconds: (performance.now() - start) / 1000,
  };
}

async function hasFiniteWeights(model: LayersModel): Promise<boolean> {
  // infinities and NaN survive any sum
  const total = tf.tidy(() => tf.addN(model.getWeights().map((weight) => tf.sum(weight))));
  const [sum] = await total.data();
  total.dispose();
  return Number.isFinite(sum);
}

/**
 * What `train` looks at before it begins: worth a call before old results make room.
 *
 * @throws if the model is not compiled, or an option makes no sense.
 */
export function checkTraining(
  model: LayersModel,
  { epochs, batchSize = 64, resume, pruning, earlyStopping }: TrainOptions,
): void {
  if (!model.optimizer) throw new Error('[trainer] the model must be compiled: call model.compile first');
  if (!Number.isInteger(epochs) || epochs < 1)
    throw new Error(`[trainer] epochs must be at least 1, got ${epochs}`);
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new Error(`[trainer] batchSize must be at least 1, got ${batchSize}`);
  }
  if (resume && resume.epoch > epochs) {
    throw new Error(
      `[trainer] ${resume.epoch} epochs are done already, so epochs must be at least that, got ${epochs}`,
    );
  }
  new Stopper(earlyStopping);
  if (!pruning) return;
  // the callback is not used: its factory knows which prunings make sense
  const { pruner, calibration: _, ...settings } = pruning;
  prune(pruner, settings);
  sizesOf(model, pruning.scope);
  if (pruningEpochs(pruning, epochs).length === 0) {
    throw new Error(
      `[trainer] the schedule (every ${pruning.every ?? 1}, until ${pruning.until ?? 1}) never prunes in ${epochs} epochs`,
    );
  }
}
