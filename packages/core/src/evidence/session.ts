import * as tf from '@tensorflow/tfjs-core';
import type {
  BackwardPruner,
  Evidence,
  JointPruner,
  Observer,
  Proposal,
  Pruner,
  Seen,
  Weights,
} from '../pruner.ts';
import { numbersOf, run } from './answers.ts';
import { type Criterion, evidenceFields, looksAt, poolsBatches } from './criteria.ts';
import { checkProposals, type Judge, type Judgement, lowestFirst } from './judgement.ts';
import { restoreState, type SavedState, saveState } from './saved.ts';
import { kept, tensorsIn } from './state.ts';

/** One pruner at work on one group. */
export interface Session {
  epochBegin(weights: Weights): void;
  /** Shows a batch, to those criteria alone (if given) that look at `'each'` batch, or at `'pooled'` ones. */
  batchEnd(seen: Seen, only?: 'each' | 'pooled'): void;
  /**
   * The units in the order in which they should go.
   *
   * @throws if the pruner throws, or answers with a wrong shape, a number that isn't finite, or a proposal
   * that makes no sense.
   * @param worth of the units, by a backward criterion; without it the group is judged as if it were a last one, whose
   * outgoing weights feed what is worth 1.
   */
  judge(weights: Weights, worth?: WorthBy): Promise<Judge>;
  /** What a backward criterion's `last` says; undefined of others, and of those that are none of this pruner's. */
  last(criterion: BackwardPruner, weights: Weights): Promise<Float32Array | undefined>;
  /** What it has gathered, one state for each criterion, as JSON. */
  save(): Promise<SavedState[]>;
  /** Takes the place of what was gathered; takes its states from the front of the list. */
  restore(saved: SavedState[]): void;
  dispose(): void;
}

/** What each unit of a group is worth by a backward criterion. */
export type WorthBy = (criterion: BackwardPruner) => readonly number[];

/**
 * Dispose it afterwards.
 *
 * @param isLast whether outputs are made of the units: only then a backward criterion gathers evidence.
 */
export const openSession = (pruner: Pruner, units: number, isLast = true): Session =>
  'members' in pruner ? new JointSession(pruner, units, isLast) : new ObserverSession(pruner, units, isLast);

/** Has a session for each member, so that each sees what it needs itself and keeps its own memory. */
class JointSession implements Session {
  readonly #pruner: JointPruner;
  readonly #units: number;
  readonly #members: Session[] = [];

  constructor(pruner: JointPruner, units: number, isLast: boolean) {
    this.#pruner = pruner;
    this.#units = units;
    try {
      for (const member of pruner.members) this.#members.push(openSession(member, units, isLast));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  epochBegin(weights: Weights): void {
    for (const member of this.#members) member.epochBegin(weights);
  }

  batchEnd(seen: Seen, only?: 'each' | 'pooled'): void {
    for (const member of this.#members) member.batchEnd(seen, only);
  }

  async judge(weights: Weights, worth?: WorthBy): Promise<Judge> {
    const judgements: Judgement[] = [];
    for (const member of this.#members) judgements.push((await member.judge(weights, worth))());
    const proposals = run(this.#pruner, 'merge', () => this.#pruner.merge(judgements, this.#units));
    checkProposals(this.#pruner, 'merge', proposals, this.#units);
    return () => proposals;
  }

  async last(criterion: BackwardPruner, weights: Weights): Promise<Float32Array | undefined> {
    for (const member of this.#members) {
      const found = await member.last(criterion, weights);
      if (found) return found;
    }
    return undefined;
  }

  async save(): Promise<SavedState[]> {
    const saved: SavedState[] = [];
    for (const member of this.#members) saved.push(...(await member.save()));
    return saved;
  }

  restore(saved: SavedState[]): void {
    for (const member of this.#members) member.restore(saved);
  }

  dispose(): void {
    for (const member of this.#members) member.dispose();
  }
}

/** Holds one criterion's state, owns its memory and checks its answers. */
class ObserverSession implements Session {
  readonly pruner: Criterion;
  readonly units: number;
  readonly #looks: boolean;
  #state: tf.TensorContainer;

  constructor(pruner: Criterion, units: number, isLast: boolean) {
    this.pruner = pruner;
    this.units = units;
    this.#looks = looksAt(pruner, isLast);
    this.#state = kept(() => run(pruner, 'init', () => pruner.init?.(units)));
  }

  epochBegin(weights: Weights): void {
    const { pruner } = this;
    if (!pruner.onEpochBegin) return;
    this.#next(() => run(pruner, 'onEpochBegin', () => pruner.onEpochBegin?.(weights, this.#state)));
  }

  batchEnd(seen: Seen, only?: 'each' | 'pooled'): void {
    const { pruner } = this;
    if (!this.#looks) return;
    if (only && only !== (poolsBatches(pruner) ? 'pooled' : 'each')) return;
    this.#next(() =>
      run(pruner, 'onBatchEnd', () => pruner.onBatchEnd?.(guarded(seen, pruner), this.#state)),
    );
  }

  async judge(weights: Weights, worth?: WorthBy): Promise<Judge> {
    const { pruner, units } = this;
    if ('compare' in pruner) {
      const matrix = await numbersOf(pruner, 'compare', [units, units], () =>
        pruner.compare(weights, this.#state),
      );
      const proposals = this.#proposals('propose', () => pruner.propose(matrix, units));
      return () => proposals;
    }
    if ('measure' in pruner) {
      const numbers = await numbersOf(pruner, 'measure', [units, 'any'], () =>
        pruner.measure(weights, this.#state),
      );
      const eliminated = (leaving?: number) =>
        this.#proposals('eliminate', () => pruner.eliminate(numbers, units, leaving));
      if (pruner.byCount) return eliminated;
      const proposals = eliminated();
      return () => proposals;
    }
    const scores =
      'pass' in pruner
        ? (worth?.(pruner) ?? (await this.#alone(pruner, weights)))
        : await numbersOf(pruner, 'score', [units], () => pruner.score(weights, this.#state));
    const proposals = lowestFirst(scores);
    return () => proposals;
  }

  async last(criterion: BackwardPruner, weights: Weights): Promise<Float32Array | undefined> {
    if (this.pruner !== criterion) return undefined;
    const { last } = criterion;
    return (
      last && numbersOf(criterion, 'last', [this.units], () => last.call(criterion, weights, this.#state))
    );
  }

  async #alone(criterion: BackwardPruner, weights: Weights): Promise<number[]> {
    const numbers = await numbersOf(criterion, 'pass', [this.units], () => {
      const { outgoing } = weights;
      return criterion.pass(outgoing, tf.ones([outgoing.shape[1]]));
    });
    const own = await this.last(criterion, weights);
    return Array.from(numbers, (number, unit) => number + (own?.[unit] ?? 0));
  }

  async save(): Promise<SavedState[]> {
    return [await saveState(this.#state)];
  }

  restore(saved: SavedState[]): void {
    const state = saved.shift();
    if (!state) throw new Error(`[core] nothing was saved of what ${this.pruner.name} had gathered`);
    this.#next(() => restoreState(state));
  }

  dispose(): void {
    tf.dispose(this.#state);
    this.#state = undefined;
  }

  #next(step: () => tf.TensorContainer): void {
    const before = tensorsIn(this.#state);
    this.#state = kept(step, before);
    const after = tensorsIn(this.#state);
    for (const tensor of before) if (!after.has(tensor)) tensor.dispose();
  }

  #proposals(hook: string, make: () => readonly Proposal[]): readonly Proposal[] {
    const proposals = tf.tidy(() => run(this.pruner, hook, make) as never) as readonly Proposal[];
    checkProposals(this.pruner, hook, proposals, this.units);
    return proposals;
  }
}

/** The batch with a clear message in place of what the pruner did not ask for. */
function guarded(seen: Seen, { name, needs = [] }: Observer): Seen {
  return new Proxy(seen, {
    get(target, field: keyof Seen) {
      if ((evidenceFields as readonly string[]).includes(field) && !needs.includes(field as Evidence)) {
        throw new Error(
          `[${name}] onBatchEnd reads '${field}', so its needs must list it: needs: ['${field}']`,
        );
      }
      return target[field];
    },
  });
}
