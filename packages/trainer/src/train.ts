import { analyze, hold, mask, maskedPlan, type Plan } from '@espalier/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkTraining, phasesOf } from './check-training.ts';
import { disposeModel } from './dispose.ts';
import { Teacher } from './distillation.ts';
import { Stopper } from './early-stopping.ts';
import { evaluate } from './evaluate.ts';
import { pruneEvent, withoutLayers } from './events.ts';
import { fitEpoch } from './fit-epoch.ts';
import { setLearningRate } from './learning-rate.ts';
import { withNoise } from './noise.ts';
import type { Phase } from './phase.ts';
import type { EpochEvent, RunEvent } from './record.ts';
import { withSeed } from './seed.ts';
import type { TrainingData, TrainOptions, TrainState } from './train-options.ts';

/** What a training leaves. */
export interface TrainResult {
  /** The trained model: the given one, or a smaller one if units were removed and not only masked. */
  readonly model: LayersModel;
  /** With validation data, an `evaluate` event before the first pruning says how good the unpruned model was. */
  readonly events: readonly RunEvent[];
  /**
   * What was removed, in order. Each plan is for the model that the one before it left; one that masks includes what was
   * masked before.
   */
  readonly plans: readonly Plan[];
  /** Why the training ended before its last epoch, if it did. */
  readonly stopped?: string;
}

/**
 * Trains a compiled model, and removes units on the way: between two epochs it plans, shrinks and goes on with the
 * smaller model and the optimizer's state carried over, or masks.
 *
 * The given model is trained in place until the first shrinking. Models in between are disposed, also when
 * the training fails. Trainings that run at once take turns, an epoch each.
 *
 * @throws if the model is not compiled, an option makes no sense, the loss becomes NaN, or a pruner fails.
 */
export async function train(
  model: LayersModel,
  data: TrainingData,
  options: TrainOptions,
): Promise<TrainResult> {
  checkTraining(model, options);
  const training = new Training(model, data, options);
  try {
    await training.run();
  } catch (error) {
    if (training.model !== model) disposeModel(training.model);
    throw error;
  } finally {
    training.dispose();
  }
  const { events, plans, stopped } = training;
  return { model: training.model, events, plans, ...(stopped !== undefined && { stopped }) };
}

/** A training as it goes on. */
class Training {
  model: LayersModel;
  readonly events: RunEvent[] = [];
  readonly plans: Plan[] = [];
  readonly #given: LayersModel;
  readonly #data: TrainingData;
  readonly #options: TrainOptions;
  readonly #stopper: Stopper;
  readonly #phases: readonly Phase[];
  readonly #held = hold();
  #teacher: Teacher | undefined;
  #prunings: number;

  constructor(model: LayersModel, data: TrainingData, options: TrainOptions) {
    this.model = model;
    this.#given = model;
    this.#data = data;
    this.#options = options;
    this.#stopper = new Stopper(options.earlyStopping, options.resume?.stopping);
    this.#phases = phasesOf(model, options);
    this.#prunings = options.resume?.prunings ?? 0;
    for (const { agenda } of this.#phases) if (!data.validation) agenda.checkAccuracy(false);
  }

  async run(): Promise<void> {
    const { epochs, resume, distillation, onEpochEnd } = this.#options;
    if (distillation) this.#teacher = await Teacher.ask(distillation, this.model, this.#data.train);
    if (resume?.masked) await mask(this.model, resume.masked);
    for (let done = resume?.epoch ?? 0; done < epochs && !this.#stopper.isOver; done++) {
      const event = await this.#fit(done);
      await this.#emit(event);
      const pruned = await this.#prune(event);
      if (pruned) this.#stopper.reset();
      else this.#stopper.epochEnd(event.valLoss ?? event.loss);
      if (onEpochEnd) await onEpochEnd(await this.#state(done + 1));
    }
  }

  async #state(epoch: number): Promise<TrainState> {
    const masked = maskedPlan(this.model);
    return {
      model: this.model,
      epoch,
      phases: await Promise.all(this.#phases.map((phase) => phase.save())),
      prunings: this.#prunings,
      ...(masked && { masked }),
      ...(this.#options.earlyStopping && { stopping: this.#stopper.state }),
    };
  }

  get stopped(): string | undefined {
    return this.#stopper.isOver ? `no better loss for ${this.#stopper.patience} epochs` : undefined;
  }

  dispose(): void {
    this.#held.dispose();
    this.#teacher?.dispose();
    for (const phase of this.#phases) phase.forget();
  }

  #fit(done: number): Promise<EpochEvent> {
    const { epochs, batchSize = 64, learningRate, seed = 0, noise = [], onProgress } = this.#options;
    if (learningRate) setLearningRate(this.model.optimizer, learningRate(done / epochs));
    const watching = this.#phases.flatMap((phase) => phase.begin(this.model, done));
    const drawn = `${seed}/${done}`;
    return withSeed(drawn, () =>
      withNoise(this.#data.train, noise, drawn, (examples) =>
        fitEpoch(this.model, {
          ...this.#data,
          train: examples,
          batchSize,
          done,
          // what is masked is zero again before anyone looks
          callbacks: [this.#held, ...watching],
          teacher: this.#teacher,
          ...(onProgress && { onProgress }),
        }),
      ),
    );
  }

  /** All prunings that are due after an epoch, one after the other; says whether there were any. */
  async #prune({ epoch, valAccuracy }: EpochEvent): Promise<boolean> {
    const due = this.#phases.flatMap((phase) => {
      const share = phase.agenda.shareAfter(epoch, valAccuracy);
      return share === undefined ? [] : [{ phase, share }];
    });
    // the network that one has watched is gone when another has shrunk it
    due.sort((a, b) => Number(b.phase.watchesTraining) - Number(a.phase.watchesTraining));
    let changed = false;
    for (const { phase, share } of due) {
      await this.#evaluateUnpruned();
      const made = await phase.plan(this.model, this.#data.train, share);
      if (!made) continue;
      await this.#options.onPlan?.(made, epoch, this.model);
      let event = pruneEvent(made, epoch, maskedPlan(this.model));
      if (event.groups.length > 0 || made.spared) {
        const { groups } = analyze(this.model);
        event = withoutLayers(event, groups, await this.#remove(made, phase), this.model);
        changed = true;
      }
      this.plans.push(made);
      this.#prunings++;
      await this.#emit(event);
    }
    if (changed) for (const phase of this.#phases) phase.forget();
    return due.length > 0;
  }

  /** The answer is the layers that went with it and were joined. */
  async #remove(plan: Plan, phase: Phase): Promise<readonly string[]> {
    if (this.#options.removal === 'mask') {
      await mask(this.model, plan);
      return [];
    }
    const { model, joined } = await phase.carryOut(this.model, plan, this.#data.train);
    if (this.model !== this.#given) disposeModel(this.model);
    this.model = model;
    return joined;
  }

  async #evaluateUnpruned(): Promise<void> {
    const { validation } = this.#data;
    if (!validation || this.#prunings > 0) return;
    const evaluation = await evaluate(this.model, validation);
    await this.#emit({ type: 'evaluate', stage: 'unpruned', split: 'validation', ...evaluation });
  }

  async #emit(event: RunEvent): Promise<void> {
    this.events.push(event);
    await this.#options.onEvent?.(event);
  }
}
