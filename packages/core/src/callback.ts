import * as tf from '@tensorflow/tfjs-core';
import { Callback, type LayersModel } from '@tensorflow/tfjs-layers';
import { Watch } from './evidence/watch.ts';
import { type Analysis, analyzeInternals } from './graph/analyze.ts';
import type { TracedWeight } from './graph/trace.ts';
import type { Budget } from './plan/budget.ts';
import { watchedGroups } from './plan/judge.ts';
import { decide } from './plan/plan.ts';
import { checkExtent, checkPruning, compensationOf, type Pruning } from './plan/pruning.ts';
import { Removal } from './plan/removal.ts';
import { pruningEpochs, type Schedule } from './plan/schedule.ts';
import type { Plan } from './plan/types.ts';
import type { Pruner } from './pruner.ts';
import { mask, maskedPlan } from './surgery/mask.ts';
import { readWeights, zeroReads } from './surgery/weights.ts';

/** All that `prune` needs. */
export interface PruneOptions extends Omit<Pruning, 'pruner'>, Schedule {}

/**
 * Watches a model through the user's own `model.fit` for a pruner, without a pass of its own, and makes
 * plans of what it saw.
 *
 * tfjs takes an array either of callbacks or of plain objects with hooks, not of both: wrap hooks of your
 * own as `new tf.CustomCallback({ onEpochEnd: ... })`.
 */
export class WatchCallback extends Callback {
  protected readonly pruning: Pruning;
  #analysis: Analysis | undefined;
  #watch: Watch | undefined;
  #analyzed: LayersModel | undefined;

  /** @throws if the options contradict each other. */
  constructor(pruning: Pruning) {
    super();
    checkPruning(pruning);
    this.pruning = pruning;
  }

  override async onTrainBegin(): Promise<void> {
    // a training in several fits is watched as one
    if (this.#watch && this.#analyzed === this.watched) this.#attach();
    else this.start();
  }

  override async onEpochBegin(_epoch: number): Promise<void> {
    await this.orStop(() => this.#watch?.epochBegin());
  }

  override async onBatchEnd(_batch: number): Promise<void> {
    await this.orStop(() => this.#watch?.batchEnd());
  }

  override async onTrainEnd(): Promise<void> {
    this.#watch?.detach();
  }

  /**
   * A plan by what was seen since the training began; another budget than the callback's own may be given.
   *
   * @throws if no training was watched, or the pruner fails.
   */
  async plan(budget: Budget | undefined = this.pruning.budget): Promise<Plan> {
    return this.decide(budget, 1);
  }

  /** Ends the watching and frees what it gathered. */
  dispose(): void {
    this.stopWatching();
  }

  protected stopWatching(): void {
    this.#watch?.dispose();
    this.#watch = undefined;
  }

  /** A hook that throws ends the training, and nobody calls `onTrainEnd` then. */
  protected async orStop(hook: () => Promise<void> | void): Promise<void> {
    try {
      await hook();
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** `share`: see `decide`. */
  protected async decide(budget: Budget | undefined, share: number): Promise<Plan> {
    if (!this.#watch || !this.#analysis) {
      throw new Error('[core] nothing was watched yet: pass the callback to model.fit first');
    }
    const pruning: Pruning = budget ? { ...this.pruning, budget } : this.pruning;
    return decide(this.watched, this.#analysis, this.#watch, pruning, maskedPlan(this.watched), share);
  }

  /** Watches anew, from the units that are there now. */
  protected start(): void {
    this.stopWatching();
    const { pruner, scope } = this.pruning;
    this.#analysis = analyzeInternals(this.watched);
    const groups = watchedGroups(this.#analysis, scope, maskedPlan(this.watched));
    this.#watch = new Watch(this.#analysis, groups, [pruner], compensationOf(this.pruning));
    this.#analyzed = this.watched;
    this.#attach();
  }

  #attach(): void {
    if (this.#watch?.watching) this.#watch.attach(this.watched, 'training');
  }

  protected get watched(): LayersModel {
    const model = this.model as LayersModel | undefined;
    if (!model) throw new Error('[core] the callback has no model yet: pass it to model.fit');
    return model;
  }
}

/** Prunes by masks in the middle of `model.fit`; made by `prune`. */
export class PruneCallback extends WatchCallback {
  readonly #schedule: Required<Schedule>;
  #masks: { readonly weight: TracedWeight; readonly mask: tf.Tensor }[] = [];

  /** @throws if an option makes no sense. */
  constructor(pruner: Pruner, { every = 1, until = 1, ...pruning }: PruneOptions) {
    super({ pruner, ...pruning });
    checkExtent(this.pruning);
    this.#schedule = { every, until };
    pruningEpochs(this.#schedule, 0);
  }

  override async onTrainBegin(): Promise<void> {
    await this.orStop(async () => {
      await this.#holdMasked();
      // another training may have brought masked units back
      this.#zero();
      if (this.#prunings().length > 0) return this.start();
      // a training that holds what was masked before is a good reason not to prune
      if (this.#masks.length > 0) return;
      const { every, until } = this.#schedule;
      throw new Error(
        `[core] every ${every} epochs in the first ${until} of ${this.params.epochs} is never: choose a smaller every`,
      );
    });
  }

  override async onBatchEnd(batch: number): Promise<void> {
    this.#zero();
    await super.onBatchEnd(batch);
  }

  override async onEpochEnd(epoch: number): Promise<void> {
    const prunings = this.#prunings();
    const step = prunings.indexOf(epoch + 1) + 1;
    if (step === 0) return;
    await this.orStop(async () => {
      const plan = await this.decide(this.pruning.budget, step / prunings.length);
      await mask(this.watched, plan);
      await this.#holdMasked();
      if (step < prunings.length) this.start();
      else this.stopWatching();
    });
  }

  override async onTrainEnd(): Promise<void> {
    this.dispose();
  }

  /** Ends the watching and lets go of the masked units. */
  override dispose(): void {
    this.#forgetMasks();
    super.dispose();
  }

  /** After which epochs of this training it prunes. */
  #prunings(): number[] {
    return pruningEpochs(this.#schedule, this.params.epochs as number);
  }

  /** Masks for the weights that read masked units, so that no update brings them back. */
  async #holdMasked(): Promise<void> {
    this.#forgetMasks();
    const earlier = maskedPlan(this.watched);
    if (!earlier) return;
    const analysis = analyzeInternals(this.watched);
    const { layers } = analysis.trace;
    const ones = await readWeights(layers);
    for (const values of ones.values()) values.fill(1);
    for (const weight of zeroReads(layers, new Removal(analysis, earlier.groups), ones)) {
      this.#masks.push({ weight, mask: tf.tensor(ones.get(weight)!, weight.shape as number[]) });
    }
  }

  #zero(): void {
    for (const { weight, mask } of this.#masks) {
      tf.tidy(() => {
        const variable = weight.variable.read() as tf.Variable;
        variable.assign(tf.mul(variable, mask));
      });
    }
  }

  #forgetMasks(): void {
    for (const held of this.#masks) held.mask.dispose();
    this.#masks = [];
  }
}

/**
 * A callback for the user's own `model.fit` that watches, judges and masks units while the model trains,
 * and holds them at zero from then on. `shrink(model)` afterwards makes the smaller model.
 *
 * ```ts
 * await model.fit(x, y, { epochs: 20, callbacks: [prune(angle({ lower: 30 }), { every: 5, until: 0.7 })] });
 * const small = await shrink(model);
 * ```
 *
 * The budget is reached by equal steps at the prunings of the schedule.
 *
 * @throws if an option makes no sense.
 */
export const prune = (pruner: Pruner, options: PruneOptions = {}): PruneCallback =>
  new PruneCallback(pruner, options);

/**
 * A callback that watches the user's own `model.fit` for a pruner and changes nothing; its `plan()` then
 * makes a plan. Dispose it afterwards.
 *
 * @throws if the options contradict each other.
 */
export const watch = (pruning: Pruning): WatchCallback => new WatchCallback(pruning);
