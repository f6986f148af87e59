import type { Plan } from '@espalier/core';
import type { Noise } from '@espalier/noise';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Distillation } from './distillation.ts';
import type { EarlyStopping, StoppingState } from './early-stopping.ts';
import type { Examples } from './evaluate.ts';
import type { LearningRate } from './learning-rate.ts';
import type { PhaseState, TrainPruning } from './phase.ts';
import type { RunEvent } from './record.ts';

/** Tensors to train on. They are not disposed. */
export interface TrainingData {
  readonly train: Examples;
  readonly validation?: Examples;
}

/** Where a training stands after an epoch. */
export interface TrainState {
  readonly model: LayersModel;
  /** Epochs done, from the start of the run. */
  readonly epoch: number;
  /** Where each pruning stands, in their order: JSON. */
  readonly phases: readonly PhaseState[];
  /** How many prunings there were. */
  readonly prunings: number;
  /** What is masked by now. */
  readonly masked?: Plan;
  /** How long early stopping has waited. */
  readonly stopping?: StoppingState;
}

/** How to train, and whom to tell. */
export interface TrainOptions {
  /** The last epoch, counted from the start of the run. */
  readonly epochs: number;
  /** Default 64. */
  readonly batchSize?: number;
  /** Of each epoch: `cosineRate(0.4)`. Default: what the model was compiled with, throughout. */
  readonly learningRate?: LearningRate;
  /**
   * One pruning or several, its phases: each with a pruner, schedule, budget, scope and compensation of its own. Each
   * goes on from what is gone when its phase begins. What a phase has gathered of the training is forgotten when
   * another one removes units; so of those that prune after the same epoch the one that watches the training is first.
   */
  readonly pruning?: TrainPruning | readonly TrainPruning[];
  /**
   * How units are removed between two epochs. `'shrink'`: a smaller model is built and goes on. `'mask'`: the weights
   * that read them become zero and are held there; `shrink(model)` afterwards makes the smaller model.
   * Default `'shrink'`.
   */
  readonly removal?: 'shrink' | 'mask';
  /** Orders the examples and seeds dropout. The same seed on the same engine gives the same weights. Default 0. */
  readonly seed?: number;
  /**
   * Each training example has one of these noises, drawn anew in every epoch. Validation data stay clean, as does what
   * units are judged on, unless the pruner watches the training. Default none.
   */
  readonly noise?: readonly Noise[];
  /** Learns from another network, too: the unpruned one, so that a pruned one recovers better. */
  readonly distillation?: Distillation;
  /** By the validation loss; by the training loss without validation data. */
  readonly earlyStopping?: EarlyStopping;
  /** Where the run stood that goes on; its model is the one to train. */
  readonly resume?: Omit<TrainState, 'model'>;
  /** Told of every event as it happens. */
  readonly onEvent?: (event: RunEvent) => void | Promise<void>;
  /**
   * Told of each pruning before it is carried out, with the epochs done and the model as it still is: save the plan here.
   * Phases that prune after the same epoch do so one after the other.
   */
  readonly onPlan?: (plan: Plan, epoch: number, model: LayersModel) => void | Promise<void>;
  /** Told after every epoch (and the prunings that may follow it): save a checkpoint here. */
  readonly onEpochEnd?: (state: TrainState) => void | Promise<void>;
  /** Told after each batch, with how much of the epoch is done, 0 to 1: draw progress here. */
  readonly onProgress?: (epoch: number, done: number) => void;
}
