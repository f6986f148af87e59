/**
 * The interface between a pruner and everything else: the one file that a plugin author reads.
 *
 * A pruner judges the units of one group at a time (the neurons of a Dense layer, the filters of a
 * convolution, the features of a flattened map). Core turns its judgement into a plan and the plan into a smaller model. A
 * pruner never edits a model. It is one of these, mostly the first:
 *
 * - `ScorePruner`: `score`, a number for each unit.
 * - `PairPruner`: `compare` and `propose`, who goes in favour of whom.
 * - `EliminationPruner`: `measure` and `eliminate`, an order in which each unit is judged by what is left.
 * - `BackwardPruner`: `pass`, what units are worth to those that they feed, from the outputs back.
 * - `JointPruner`: `members` and `merge`, one judgement made of several.
 *
 * Every hook is synchronous, returns a value, and runs inside a `tf.tidy`: core keeps what the new
 * state holds and disposes the rest, so an author never writes memory code.
 *
 * ```ts
 * export const magnitude = (): Pruner => ({
 *   name: 'magnitude',
 *   score: ({ incoming }) => tf.norm(incoming, 'euclidean', 0),
 * });
 *
 * export const badness = (): Pruner<tf.Tensor> => ({
 *   name: 'badness',
 *   needs: ['errors'],
 *   init: (units) => tf.zeros([units]),
 *   onBatchEnd: ({ errors }, total) => tf.add(total, tf.sum(tf.square(errors), 0)),
 *   score: (_, total) => tf.neg(total),
 * });
 * ```
 */

import type { Tensor, Tensor1D, Tensor2D, Tensor3D, TensorContainer } from '@tensorflow/tfjs-core';
import type { Compensation } from './plan/compensation.ts';

/** What a pruner can ask to see of each batch, beside the weights, which are always there. */
export type Evidence = 'activations' | 'errors' | 'updates' | 'losses';

/** The weights around the units of one group, as they are now. */
export interface Weights {
  /** The group's id, e.g. the name of the layer that makes its units. */
  readonly group: string;
  /** Shape [fanIn, units]: column `u` holds every kernel weight that feeds unit `u`. */
  readonly incoming: Tensor2D;
  /** Shape [units]: the unit's bias, or 0 where its layer has none. */
  readonly bias: Tensor1D;
  /** Shape [units, fanOut]: row `u` holds every kernel weight that reads unit `u`. */
  readonly outgoing: Tensor2D;
  /**
   * Shape [scales, units]: column `u` holds what normalisations multiply unit `u` by, the gamma of each BatchNormalization
   * that it passes. No rows where there are none.
   */
  readonly scales: Tensor2D;
}

/**
 * How the optimizer changed some weights: for each of its steps the weights' own layout, [steps, fanIn, units] or
 * [steps, units, fanOut]. The batch's last step, or that of each batch that a pruner which `pools` is shown at once.
 */
export interface Update {
  /** dE/dw of the batch's mean loss. */
  readonly gradient: Tensor3D;
  readonly before: Tensor3D;
  readonly after: Tensor3D;
}

/**
 * What a pruner sees at the end of a batch. A field that `needs` does not list throws when it is read:
 * nothing is collected that nobody asked for.
 */
export interface Seen extends Weights {
  /**
   * Shape [patterns, units]. A unit with several positions (a channel's pixels) has one row for each
   * position of each pattern, those of one pattern one after the other.
   */
  readonly activations: Tensor2D;
  /** Of the same shape: dE_p/dh, the error sent back to each activation by its own pattern's loss. */
  readonly errors: Tensor2D;
  /** How many patterns the rows of `activations` and `errors` are of: as many rows each. */
  readonly patterns: number;
  /**
   * Shape [patterns, units]: how much each pattern's loss grows while nobody reads the unit. A forward pass of the whole
   * model for each unit; there where data is run for a plan, not in training.
   */
  readonly losses: Tensor2D;
  /** There in training only. */
  readonly updates: { readonly incoming: Update; readonly outgoing: Update };
}

/**
 * The hooks through which a pruner gathers its state. `State` is any nest of tensors and numbers (declared as
 * a `type`: TypeScript does not take an `interface` for a TensorContainer).
 */
export interface Observer<State extends TensorContainer = TensorContainer> {
  /** Stands in plans, reports and messages. */
  readonly name: string;
  /** What `onBatchEnd` reads. Without it no data is run or watched. */
  readonly needs?: readonly Evidence[];
  /**
   * Whether `onBatchEnd` may be shown several batches as one, under the weights after the last: right for what
   * merely sums over patterns or steps, and faster where batches are small. It has no say over `losses`. Default false.
   */
  readonly pools?: boolean;
  /**
   * Whether scores mean the same in every group (degrees, a change of the loss). Where groups are ranked together, those
   * of others are divided by their group's mean. Default false.
   */
  readonly comparable?: boolean;
  /** The state before the first batch, for a group of `units` units. */
  init?(units: number): State;
  /** At the start of each epoch of training: return a fresh state to forget what older weights did. */
  onEpochBegin?(weights: Weights, state: State): State;
  /** After each batch (or several, if it `pools`): the next state. */
  onBatchEnd?(seen: Seen, state: State): State;
}

/** A criterion that gives every unit a score of its own. */
export interface ScorePruner<State extends TensorContainer = TensorContainer> extends Observer<State> {
  /** Shape [units], finite: the lowest go first. */
  score(weights: Weights, state: State): Tensor;
}

/** One proposal of a pair pruner. */
export interface Proposal {
  /** The unit that may go. */
  readonly unit: number;
  /** The unit that stays and may take over the outgoing weights; absent if nobody needs to. */
  readonly into?: number;
  /** A second unit that goes if this one does: the two cancel each other. */
  readonly also?: number;
  /** Stands in the plan, in the criterion's own measure (degrees, ...). */
  readonly score: number;
  /** What it is ranked by beside proposals of other groups, the lowest first. Default: the score. */
  readonly price?: number;
}

/** A criterion that compares units with each other. */
export interface PairPruner<State extends TensorContainer = TensorContainer> extends Observer<State> {
  /**
   * Whether units that are proposed without a partner should leave their means in the biases of what reads them, as constant
   * ones do. A compensation that is asked for by name has its own way. Default false.
   */
  readonly leavesMeans?: boolean;
  /** Shape [units, units]: how unlike each two units are. */
  compare(weights: Weights, state: State): Tensor;
  /**
   * The proposals, the best first, from the matrix that `compare` returned (row-major). A budget takes
   * them in this order. A unit stands in one proposal at most.
   */
  propose(matrix: Float32Array, units: number): readonly Proposal[];
}

/** A criterion that takes units away one after another, each judged by what is left without those before it. */
export interface EliminationPruner<State extends TensorContainer = TensorContainer> extends Observer<State> {
  /** What its steps count on that survivors take over, unless a plan is told otherwise. Default: nothing. */
  readonly compensation?: Compensation;
  /** Shape [units, any]: all that `eliminate` goes by, brought out of the engine once. */
  measure(weights: Weights, state: State): Tensor;
  /**
   * Whether another number of units that go may mean other units, as where the survivors are chosen together (one of each
   * cluster). Default false: the order is the same however many go.
   */
  readonly byCount?: boolean;
  /**
   * Every unit that may go, the first to go first, from what `measure` returned (row-major). A budget takes them in this order.
   *
   * @param leaving how many of them will go, for one that is `byCount`. Absent where nobody can say it beforehand: by a
   * threshold, and where groups are ranked together or criteria joined.
   */
  eliminate(
    numbers: Float32Array,
    units: number,
    leaving?: number,
  ): readonly Pick<Proposal, 'unit' | 'score'>[];
}

/**
 * A criterion that follows importance from the model's outputs back: units are worth what those are worth that they feed.
 * The lowest go first.
 */
export interface BackwardPruner<State extends TensorContainer = TensorContainer> extends Observer<State> {
  /**
   * Shape [units]: what the units are worth that outputs are made of, the last ones behind which there is one kernel only.
   * Without it what the model puts out is worth 1 each, and passed on.
   */
  last?(weights: Weights, state: State): Tensor;
  /**
   * Shape [units]: what units are worth to one kernel that reads them, `outgoing` [units, fanOut], if what its columns feed
   * is worth `importance` [fanOut]; twice as much for twice that. A normalisation, and a convolution of each channel by
   * itself, are read unit by unit, with an importance of 1. Core adds up over kernels, and finds what feeds what.
   */
  pass(outgoing: Tensor2D, importance: Tensor1D): Tensor;
}

/** A criterion made of others, e.g. by `byRank`: each gathers its own evidence, and one judgement is made of theirs. */
export interface JointPruner {
  readonly name: string;
  /** All that the members need. */
  readonly needs?: readonly Evidence[];
  readonly members: readonly Pruner[];
  /**
   * The proposals, the best first, from those of each member. A score pruner proposes every unit, the lowest score
   * first. A unit stands in one proposal at most.
   */
  merge(judgements: readonly (readonly Proposal[])[], units: number): readonly Proposal[];
}

/** What every host (plan, prune, the trainer, the CLI) accepts. */
export type Pruner<State extends TensorContainer = TensorContainer> =
  | ScorePruner<State>
  | PairPruner<State>
  | EliminationPruner<State>
  | BackwardPruner<State>
  | JointPruner;
