import {
  Agenda,
  analyze,
  type Budget,
  budgetAt,
  type CalibrationData,
  type Cost,
  everyEpochs,
  keptLayers,
  maskedPlan,
  type Plan,
  type Pruning,
  plan,
  prune,
  type SavedEvidence,
  type Schedule,
  standingOf,
  type WatchCallback,
  watch,
} from '@espalier/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { withCalibration } from './calibration.ts';
import { type CarriedOut, carryOut } from './carry-out.ts';
import type { Examples } from './evaluate.ts';
import { budgetFor, goneOf, type Pools, type Sizes } from './sizes.ts';

/** Prunings in the middle of a training. */
export interface TrainPruning extends Pruning {
  /** When, and how much each time. Default `everyEpochs()`. */
  readonly schedule?: Schedule;
  /**
   * What units are judged on at each pruning. By default the first 2,000 training examples. Pruners that look
   * at the optimizer's updates watch the training itself instead.
   */
  readonly calibration?: CalibrationData;
}

/** Where a model stood when a phase began. */
interface Begun {
  /** How many units of each group were gone. */
  readonly gone: Sizes;
  /** What the rest cost. */
  readonly left: Cost;
}

/** Where a phase stands: JSON. */
export interface PhaseState {
  /** How many units each group of the scope had when the run began. */
  readonly sizes: Sizes;
  /** Which of them share a budget. */
  readonly pools: Pools;
  /** The layers that stay as they are. */
  readonly kept: readonly string[];
  /** What the model cost then. */
  readonly unpruned: Cost;
  /** Where the model stood when the phase began; absent before. */
  readonly begun?: Begun;
  /** The validation accuracy after the epoch of each pruning so far, if the schedule looks at it. */
  readonly accuracies: readonly number[];
  /** What its pruner has seen of the training since the last pruning, if it watches the training. */
  readonly evidence?: SavedEvidence;
}

/** One pruner's prunings in a training. */
export class Phase {
  readonly agenda: Agenda;
  readonly #pruning: TrainPruning;
  readonly #sizes: Sizes;
  readonly #pools: Pools;
  readonly #kept: readonly string[];
  readonly #unpruned: Cost;
  #begun: Begun | undefined;
  #evidence: SavedEvidence | undefined;
  #watching: WatchCallback | undefined;

  constructor(model: LayersModel, pruning: TrainPruning, epochs: number, state?: PhaseState) {
    this.agenda = new Agenda(pruning.schedule ?? everyEpochs(), epochs, state?.accuracies);
    this.#pruning = pruning;
    const { sizes, pools, kept, unpruned } = state ?? beginning(model, pruning);
    this.#sizes = sizes;
    this.#pools = pools;
    this.#kept = kept;
    this.#unpruned = unpruned;
    this.#begun = state?.begun;
    this.#evidence = state?.evidence;
  }

  /** @throws if it never prunes, or an option makes no sense. */
  check(): void {
    // the callback is not used: its factory knows which prunings make sense
    const { pruner, calibration: _, ...settings } = this.#pruning;
    prune(pruner, settings);
    this.agenda.checkPrunes();
    this.#budgetAt(1);
  }

  /** Whether it must see the training itself; others judge the model as it stands. */
  get watchesTraining(): boolean {
    return this.#pruning.pruner.needs?.includes('updates') ?? false;
  }

  /** Before an epoch, with so many done: the callbacks that gather its evidence. */
  begin(model: LayersModel, done: number): readonly WatchCallback[] {
    if (!this.agenda.isOpen(done)) {
      this.forget();
      return [];
    }
    this.#begun ??= { gone: goneOf(model, this.#sizes), left: costOf(model) };
    if (this.watchesTraining && !this.#watching) {
      const there = this.#groupsIn(model);
      if (there.scope.length === 0) return [];
      this.#watching = watch({ ...this.#pruning, ...there }, this.#evidence);
      this.#evidence = undefined;
    }
    return this.#watching ? [this.#watching] : [];
  }

  /** The plan of the pruning at a share of the way to the budget; undefined if there is nothing left to prune. */
  async plan(model: LayersModel, examples: Examples, share: number): Promise<Plan | undefined> {
    const there = this.#groupsIn(model);
    if (there.scope.length === 0) return undefined;
    const start = { sizes: this.#sizes, pools: this.#pools };
    const budget = budgetFor(model, start, this.#budgetAt(share));
    if (this.#watching) return this.#watching.plan(budget);
    const { calibration, ...pruning } = this.#pruning;
    const settings = { ...pruning, ...there, ...(budget && { budget }) };
    return withCalibration(calibration, examples, (data) => plan(model, { ...settings, data }));
  }

  /** Carries a plan out; what stands in for layers that go is fitted to what units are judged on. */
  carryOut(model: LayersModel, made: Plan, examples: Examples): Promise<CarriedOut> {
    return withCalibration(this.#pruning.calibration, examples, (data) => carryOut(model, made, data));
  }

  /** Frees what was gathered; it begins anew with the next epoch. */
  forget(): void {
    this.#watching?.dispose();
    this.#watching = undefined;
  }

  /** Between two epochs. */
  async save(): Promise<PhaseState> {
    return {
      sizes: this.#sizes,
      pools: this.#pools,
      kept: this.#kept,
      unpruned: this.#unpruned,
      ...(this.#begun && { begun: this.#begun }),
      accuracies: this.agenda.accuracies,
      ...(this.#watching && { evidence: await this.#watching.save() }),
    };
  }

  /** Those of its groups and kept layers that are still there: layers may have gone whole. */
  #groupsIn(model: LayersModel): { readonly scope: readonly string[]; readonly keep: readonly string[] } {
    const { groups, layers } = analyze(model);
    const there = new Set(groups.map(({ id }) => id));
    const names = new Set(layers.map(({ name }) => name));
    return {
      scope: Object.keys(this.#sizes).filter((id) => there.has(id)),
      keep: this.#kept.filter((name) => names.has(name)),
    };
  }

  /** Of units those of the groups as they were when the run began. */
  #budgetAt(share: number): Budget | undefined {
    const groups = Object.entries(this.#sizes).map(([id, size]) => ({
      id,
      size,
      gone: this.#begun?.gone[id] ?? 0,
      pool: this.#pools[id]!,
    }));
    const unpruned = this.#unpruned;
    return budgetAt(this.#pruning.budget, share, { groups, unpruned, left: this.#begun?.left ?? unpruned });
  }
}

/** Of a model without what is masked in it. */
const costOf = (model: LayersModel): Cost => maskedPlan(model)?.cost.after ?? analyze(model).cost;

/** What a phase knows of the model that its run begins with. */
function beginning(
  model: LayersModel,
  pruning: TrainPruning,
): Pick<PhaseState, 'sizes' | 'pools' | 'kept' | 'unpruned'> {
  const { groups, unpruned } = standingOf(model, pruning);
  return {
    sizes: Object.fromEntries(groups.map(({ id, size }) => [id, size])),
    pools: Object.fromEntries(groups.map(({ id, pool }) => [id, pool])),
    kept: keptLayers(analyze(model), pruning.keep ?? []),
    unpruned,
  };
}
