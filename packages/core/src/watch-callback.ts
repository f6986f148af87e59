import { Callback, type LayersModel } from '@tensorflow/tfjs-layers';
import type { SavedState } from './evidence/saved.ts';
import { Watch } from './evidence/watch.ts';
import { type Analysis, analyzeInternals } from './graph/analyze.ts';
import type { Budget, Standing } from './plan/budget.ts';
import { groupsBeside, watchedGroups } from './plan/judge.ts';
import { decide, gatheredBy } from './plan/plan.ts';
import { checkPruning, compensationOf, type Pruning } from './plan/pruning.ts';
import { standingIn } from './plan/standing.ts';
import type { Plan } from './plan/types.ts';
import { maskedPlan } from './surgery/mask.ts';

/** What a pruner has gathered of a training: JSON, by group id. */
export type SavedEvidence = Readonly<
  Record<string, { readonly units: number; readonly states: readonly SavedState[] }>
>;

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
  #saved: SavedEvidence | undefined;

  /** @throws if the options contradict each other. */
  constructor(pruning: Pruning, saved?: SavedEvidence) {
    super();
    checkPruning(pruning);
    this.pruning = pruning;
    this.#saved = saved;
  }

  override async onTrainBegin(): Promise<void> {
    await this.orStop(() => {
      // a training in several fits is watched as one
      if (this.#watch && this.#analyzed === this.watched) this.#attach();
      else this.start();
    });
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
    if (!this.#watch || !this.#analysis) {
      throw new Error('[core] nothing was watched yet: pass the callback to model.fit first');
    }
    const pruning: Pruning = budget ? { ...this.pruning, budget } : this.pruning;
    const gathered = await gatheredBy(this.#watch);
    return decide(this.watched, this.#analysis, gathered, pruning, maskedPlan(this.watched));
  }

  /** What was gathered so far, between two epochs: for a `watch` that goes on another time. */
  async save(): Promise<SavedEvidence> {
    this.#watch?.flush();
    const saved: Record<string, SavedEvidence[string]> = {};
    for (const { group, alive, sessions } of this.#watch?.groups ?? []) {
      saved[group.id] = { units: alive.length, states: await sessions[0]!.save() };
    }
    return saved;
  }

  /** Ends the watching and frees what it gathered. */
  dispose(): void {
    this.stopWatching();
  }

  protected stopWatching(): void {
    this.#watch?.dispose();
    this.#watch = undefined;
  }

  protected get isWatching(): boolean {
    return this.#watch !== undefined;
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

  /** Watches anew, from the units that are there now: says how far the model is. */
  protected start(): Standing {
    this.stopWatching();
    const { pruner, ranking } = this.pruning;
    const compensation = compensationOf(this.pruning);
    if (compensation.weighted) {
      throw new Error(
        `[core] compensation '${compensation.name}' runs data backwards in a pass of its own, which a training that is only ` +
          'watched does not make: plan(model, { data }) afterwards, or leave weighted out',
      );
    }
    this.#analysis = analyzeInternals(this.watched);
    const earlier = maskedPlan(this.watched);
    const groups = watchedGroups(this.#analysis, this.pruning, earlier);
    const beside = groupsBeside(this.#analysis, [pruner], groups, earlier);
    this.#watch = new Watch(this.#analysis, groups, [pruner], compensation, beside);
    this.#analyzed = this.watched;
    this.#restore();
    this.#attach();
    return standingIn(this.#analysis, groups, earlier, ranking);
  }

  #restore(): void {
    const saved = this.#saved;
    if (!saved) return;
    for (const { group, alive, sessions } of this.#watch!.groups) {
      const { units, states } = saved[group.id] ?? {};
      if (!states || units !== alive.length) {
        throw new Error(
          `[core] the saved evidence has ${units ?? 'no'} units in group '${group.id}', the model has ${alive.length}: ` +
            'it is of another model',
        );
      }
      sessions[0]!.restore([...states]);
    }
    this.#saved = undefined;
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

/**
 * A callback that watches the user's own `model.fit` for a pruner and changes nothing; its `plan()` then
 * makes a plan. Dispose it afterwards.
 *
 * @param saved what another one's `save()` gave, to go on from there.
 * @throws if the options contradict each other.
 */
export const watch = (pruning: Pruning, saved?: SavedEvidence): WatchCallback =>
  new WatchCallback(pruning, saved);
