import type { Scalar } from '@tensorflow/tfjs-core';
import { Callback, type LayersModel } from '@tensorflow/tfjs-layers';
import { Agenda } from './plan/agenda.ts';
import { budgetAt, type Standing } from './plan/budget.ts';
import { checkExtent, type Pruning } from './plan/pruning.ts';
import { checkSchedule, everyEpochs, type Schedule } from './plan/schedule.ts';
import type { Plan } from './plan/types.ts';
import type { Pruner } from './pruner.ts';
import { HeldZeros } from './surgery/hold.ts';
import { mask, maskedPlan } from './surgery/mask.ts';
import { WatchCallback } from './watch-callback.ts';

/** All that `prune` needs. */
export interface PruneOptions extends Omit<Pruning, 'pruner'> {
  /** When, and how much each time. Default `everyEpochs()`. */
  readonly schedule?: Schedule;
}

/** What tfjs hands to a callback's hooks: numbers that it may not have read back yet. */
type UnresolvedLogs = Readonly<Record<string, number | Scalar>>;

/** The names under which tfjs logs the validation accuracy. */
const accuracyLogs = ['val_acc', 'val_accuracy'];

async function accuracyIn(logs: UnresolvedLogs = {}): Promise<number | undefined> {
  const accuracy = accuracyLogs.map((name) => logs[name]).find((value) => value !== undefined);
  return typeof accuracy === 'object' ? (await accuracy.data())[0] : accuracy;
}

const goneIn = (plan: Plan | undefined): number =>
  plan?.groups.reduce((total, { remove }) => total + remove.length, 0) ?? 0;

/** Holds masked units and pruned weights at zero through a `model.fit`; made by `hold`. */
export class HoldCallback extends Callback {
  readonly #held = new HeldZeros();

  override async onTrainBegin(): Promise<void> {
    this.#held.hold(this.model as LayersModel);
    this.#held.zero();
  }

  override async onBatchEnd(_batch: number): Promise<void> {
    this.#held.zero();
  }

  override async onTrainEnd(): Promise<void> {
    this.dispose();
  }

  /** Lets go: needed only if the fit failed. */
  dispose(): void {
    this.#held.release();
  }
}

/** Prunes by masks in the middle of `model.fit`; made by `prune`. */
export class PruneCallback extends WatchCallback {
  readonly #schedule: Schedule;
  readonly #held = new HeldZeros();
  #agenda: Agenda | undefined;
  #begun: Standing | undefined;

  /** @throws if an option makes no sense. */
  constructor(pruner: Pruner, { schedule = everyEpochs(), ...pruning }: PruneOptions) {
    super({ pruner, ...pruning });
    checkExtent(this.pruning);
    checkSchedule(schedule);
    this.#schedule = schedule;
  }

  override async onTrainBegin(): Promise<void> {
    await this.orStop(() => {
      const { epochs, metrics } = this.params as { readonly epochs: number; readonly metrics: string[] };
      this.stopWatching();
      this.#begun = undefined;
      this.#agenda = new Agenda(this.#schedule, epochs);
      this.#held.hold(this.watched);
      // another training may have brought masked units back
      this.#held.zero();
      // a training that holds what was masked before is a good reason not to prune
      if (this.#held.isEmpty) this.#agenda.checkPrunes();
      this.#agenda.checkAccuracy(accuracyLogs.some((name) => metrics.includes(name)));
    });
  }

  override async onEpochBegin(epoch: number): Promise<void> {
    await this.orStop(() => {
      if (!this.#agenda?.isOpen(epoch)) this.stopWatching();
      else if (!this.isWatching) {
        const standing = this.start();
        this.#begun ??= standing;
      }
    });
    await super.onEpochBegin(epoch);
  }

  override async onBatchEnd(batch: number): Promise<void> {
    this.#held.zero();
    await super.onBatchEnd(batch);
  }

  override async onEpochEnd(epoch: number, logs?: UnresolvedLogs): Promise<void> {
    await this.orStop(async () => {
      const share = this.#agenda?.shareAfter(epoch + 1, await accuracyIn(logs));
      if (share === undefined || !this.#begun) return;
      const made = await this.plan(budgetAt(this.pruning.budget, share, this.#begun));
      const isSmaller = goneIn(made) > goneIn(maskedPlan(this.watched));
      await mask(this.watched, made);
      this.#held.hold(this.watched);
      // where nothing goes, what was gathered is still of this network
      if (isSmaller) this.stopWatching();
    });
  }

  override async onTrainEnd(): Promise<void> {
    this.dispose();
  }

  /** Ends the watching and lets go of the masked units. */
  override dispose(): void {
    this.#held.release();
    super.dispose();
  }
}

/**
 * A callback for the user's own `model.fit` that watches, judges and masks units while the model trains,
 * and holds them at zero from then on. `shrink(model)` afterwards makes the smaller model.
 *
 * ```ts
 * const schedule = everyEpochs({ every: 5, until: 0.7 });
 * await model.fit(x, y, { epochs: 20, callbacks: [prune(angle({ lower: 30 }), { schedule })] });
 * const small = await shrink(model);
 * ```
 *
 * Several of them in one fit are its phases: each has its own pruner, schedule, budget, scope and compensation, and
 * gathers evidence only from the start of its schedule to its last pruning.
 *
 * @throws if an option makes no sense.
 */
export const prune = (pruner: Pruner, options: PruneOptions = {}): PruneCallback =>
  new PruneCallback(pruner, options);

/**
 * A callback for the user's own `model.fit` that keeps masked units and pruned weights at zero and prunes nothing: to train
 * what `mask` or `pruneWeights` left.
 */
export const hold = (): HoldCallback => new HoldCallback();
