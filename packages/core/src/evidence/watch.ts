import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Analysis } from '../graph/analyze.ts';
import type { TracedWeight } from '../graph/trace.ts';
import type { Compensation } from '../plan/compensation.ts';
import type { Evidence, Pruner, Seen, Update } from '../pruner.ts';
import { type Capture, type GroupWatch, groupWatch, type PlacedWeight, type Watched } from './group-watch.ts';
import { incomingRows, outgoingRows, patternsOf, rowsOf, weightsOf } from './rows.ts';
import type { Judgement } from './session.ts';
import { tap, tapOptimizer } from './taps.ts';

/** The optimizer's step as it is seen before and while it happens. */
interface Step {
  readonly before: tf.Tensor;
  readonly gradient: tf.Tensor | undefined;
}

/**
 * Collects for any number of pruners and one compensation what they need of a model, in one pass: nothing
 * that nobody asked for, and never more than one batch at a time.
 */
export class Watch {
  readonly groups: readonly GroupWatch[];
  readonly #needs: ReadonlySet<Evidence>;
  readonly #watching: boolean;
  #untap: (() => void)[] = [];
  #steps = new Map<string, Step>();

  constructor(
    analysis: Analysis,
    watched: readonly Watched[],
    pruners: readonly Pruner[],
    compensation: Pick<Compensation, 'needs'>,
  ) {
    this.#needs = new Set(pruners.flatMap(({ needs }) => needs ?? []));
    this.#watching = this.#needs.size > 0 || compensation.needs !== undefined;
    const groups: GroupWatch[] = [];
    this.groups = groups;
    try {
      for (const one of watched) groups.push(groupWatch(analysis, one, pruners, compensation));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Whether any data is needed. */
  get watching(): boolean {
    return this.#watching;
  }

  get needs(): ReadonlySet<Evidence> {
    return this.#needs;
  }

  /** Starts to listen: in training alone, or to every forward pass. */
  attach(model: LayersModel, when: 'training' | 'always'): void {
    this.detach();
    const wantsErrors = this.#needs.has('errors');
    const wantsSites = wantsErrors || this.#needs.has('activations');
    for (const { sites, consumers } of this.groups) {
      for (const watchedSite of wantsSites ? sites : []) {
        const { site } = watchedSite;
        const value = (tensor: tf.Tensor) => {
          const capture: Capture = { value: tensor };
          watchedSite.captures.push(capture);
          if (!wantsErrors) return undefined;
          return (error: tf.Tensor) => {
            capture.error = error;
          };
        };
        this.#untap.push(tap(site.layer, { side: 'output', when, value }));
      }
      for (const { moments, target } of consumers) {
        if (!moments) continue;
        const value = (tensor: tf.Tensor) => {
          moments.add(tensor);
          tensor.dispose();
          return undefined;
        };
        this.#untap.push(tap(target, { side: 'input', when, value }));
      }
    }
    if (this.#needs.has('updates')) this.#untap.push(this.#tapOptimizer(model.optimizer));
  }

  /** Stops listening; what was gathered stays. */
  detach(): void {
    for (const untap of this.#untap) untap();
    this.#untap = [];
    this.#forgetBatch();
  }

  epochBegin(): void {
    for (const group of this.groups) {
      for (const { moments } of group.consumers) moments?.reset();
      const weights = weightsOf(group);
      for (const session of group.sessions) session.epochBegin(weights);
    }
  }

  batchEnd(): void {
    if (!this.#watching) return;
    try {
      for (const group of this.groups) {
        const seen = this.#seenBy(group);
        for (const session of group.sessions) session.batchEnd(seen);
      }
    } finally {
      this.#forgetBatch();
    }
  }

  /** What one of the pruners, by its number, says of each group. Units are counted among those alive. */
  async judge(pruner: number): Promise<Judgement[]> {
    const judgements: Judgement[] = [];
    for (const group of this.groups) judgements.push(await group.sessions[pruner]!.judge(weightsOf(group)));
    return judgements;
  }

  dispose(): void {
    this.detach();
    for (const { sessions, consumers } of this.groups) {
      for (const session of sessions) session.dispose();
      for (const { moments } of consumers) moments?.dispose();
    }
  }

  #seenBy(group: GroupWatch): Seen {
    const update = (placed: readonly PlacedWeight[], rows: typeof incomingRows): Update => {
      const stepOf = ({ variable }: TracedWeight) => this.#steps.get(variable.name);
      return {
        gradient: rows(
          group,
          placed,
          (weight) => stepOf(weight)?.gradient ?? tf.zeros(weight.shape as number[]),
        ),
        before: rows(group, placed, (weight) => stepOf(weight)?.before ?? weight.variable.read()),
        after: rows(group, placed, (weight) => weight.variable.read()),
      };
    };
    return Object.defineProperties(weightsOf(group) as Seen, {
      activations: { get: () => rowsOf(group.sites, ({ value }) => value) },
      errors: {
        get: () => {
          const captures = group.sites.flatMap((site) => site.captures);
          if (captures.length > 0 && captures.every(({ error }) => error === undefined)) {
            throw new Error(
              `no error came back to '${group.group.id}': if its layer and all before it are frozen ` +
                '(trainable: false), leave it out of the scope',
            );
          }
          return rowsOf(group.sites, ({ value, error }) =>
            // a loss is the mean over its batch
            error ? tf.mul(error, value.shape[0]!) : tf.zerosLike(value),
          );
        },
      },
      patterns: { get: () => patternsOf(group.sites) },
      updates: {
        get: () => ({
          incoming: update(group.makes, incomingRows),
          outgoing: update(group.reads, outgoingRows),
        }),
      },
    });
  }

  #tapOptimizer(optimizer: tf.Optimizer): () => void {
    const variables = new Map(
      this.groups
        .flatMap(({ makes, reads }) => [...makes, ...reads])
        .map(({ weight }) => [weight.variable.name, weight.variable]),
    );
    return tapOptimizer(optimizer, (gradients) => {
      for (const { name, tensor } of gradients) {
        const variable = variables.get(name);
        if (!variable) continue;
        this.#steps.set(name, {
          before: tf.keep(variable.read().clone()),
          gradient: tensor ? tf.keep(tensor.clone()) : undefined,
        });
      }
    });
  }

  #forgetBatch(): void {
    for (const { sites } of this.groups) {
      for (const site of sites) {
        for (const { value, error } of site.captures) tf.dispose(error ? [value, error] : [value]);
        site.captures = [];
      }
    }
    for (const { before, gradient } of this.#steps.values())
      tf.dispose(gradient ? [before, gradient] : [before]);
    this.#steps = new Map();
  }
}
