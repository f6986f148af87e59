import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Analysis } from '../graph/analyze.ts';
import type { Trace } from '../graph/trace.ts';
import { type Compensation, none } from '../plan/compensation.ts';
import type { BackwardPruner, Evidence, Pruner } from '../pruner.ts';
import { flowBack, lastGroups, type Worth } from './backflow.ts';
import { criteriaOf, goesBack, poolsBatches } from './criteria.ts';
import { type Consumer, type GroupWatch, groupWatch, type Watched } from './group-watch.ts';
import type { Judge } from './judgement.ts';
import { MomentSums } from './moments.ts';
import { disposeCaptures, Pool } from './pool.ts';
import { type Reader, readersOf } from './readers.ts';
import { WatchedWeights } from './rows.ts';
import { WatchedBatches } from './seen.ts';
import { disposeStep, disposeSteps, keepAfter, type Steps, stepOf } from './steps.ts';
import { type Capture, tap, tapOptimizer } from './taps.ts';
import { WeightedSums } from './weighted-sums.ts';

/**
 * Collects for any number of pruners and one compensation what they need of a model, in one pass: nothing
 * that nobody asked for, and never more than one batch at a time, or a few small ones.
 */
export class Watch {
  readonly groups: readonly GroupWatch[];
  /** Those that are judged; the others are there for their sake. */
  readonly judged: readonly GroupWatch[];
  /** What reads units of the judged groups, for a compensation that refits it. */
  readonly readers: readonly Reader[] = [];
  readonly #trace: Trace;
  readonly #pruners: readonly Pruner[];
  readonly #needs: ReadonlySet<Evidence>;
  readonly #watching: boolean;
  /** Whether some criterion takes several batches as one, and whether some looks at each. */
  readonly #pools: boolean;
  readonly #showsEach: boolean;
  /** Whether some that takes several batches as one looks at updates. */
  readonly #poolsSteps: boolean;
  readonly #pool = new Pool();
  #untap: (() => void)[] = [];
  #steps: Steps = new Map();

  constructor(
    analysis: Analysis,
    watched: readonly Watched[],
    pruners: readonly Pruner[],
    compensation: Compensation,
    beside: readonly Watched[] = [],
  ) {
    this.#trace = analysis.trace;
    this.#pruners = pruners;
    this.#needs = new Set(pruners.flatMap(({ needs }) => needs ?? []));
    const criteria = pruners.flatMap(criteriaOf).filter(({ onBatchEnd }) => onBatchEnd);
    this.#pools = criteria.some(poolsBatches);
    this.#poolsSteps = criteria.some((one) => poolsBatches(one) && one.needs?.includes('updates'));
    this.#showsEach = !criteria.every(poolsBatches);
    this.#watching = this.#needs.size > 0 || compensation.needs !== undefined;
    const groups: GroupWatch[] = [];
    this.groups = groups;
    // a group whose layers went whole has nothing to look at
    const left = ({ alive }: Watched) => alive.length > 0;
    const last = new Set(pruners.some(goesBack) ? lastGroups(analysis) : []);
    const laidOut = (one: Watched, which: Compensation) =>
      groups.push(groupWatch(analysis, one, pruners, which, last.has(one.group)));
    try {
      for (const one of watched.filter(left)) laidOut(one, compensation);
      this.judged = [...groups];
      this.readers = compensation.refit ? readersOf(groups, compensation.weighted ?? false) : [];
      for (const one of beside.filter(left)) laidOut(one, none());
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

  /** The readers whose sums are weighted. Plain passes add nothing to them. */
  get weighted(): readonly Reader[] {
    return this.readers.filter(({ sums }) => sums instanceof WeightedSums);
  }

  /** Starts to listen: in training alone, or to every forward pass. */
  attach(model: LayersModel, when: 'training' | 'always'): void {
    this.detach();
    const wanted = { values: this.#needs.has('activations'), errors: this.#needs.has('errors') };
    for (const { sites, consumers } of this.groups) {
      for (const watched of wanted.values || wanted.errors ? sites : []) {
        const captured = (capture: Capture) => {
          watched.captures.push(capture);
        };
        this.#untap.push(tap(watched.site.layer, { side: 'output', when, ...wanted, captured }));
      }
      for (const { moments, ...consumer } of consumers) this.#sumUp(moments, consumer, when);
    }
    // weighted ones need errors, too, and hear of both in a pass of their own
    for (const { sums, ...reader } of this.readers) {
      if (sums instanceof MomentSums) this.#sumUp(sums, reader, when);
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
    this.flush();
    for (const { sums } of this.readers) sums.reset();
    for (const group of this.groups) {
      for (const { moments } of group.consumers) moments?.reset();
      const weights = new WatchedWeights(group);
      for (const session of group.sessions) session.epochBegin(weights);
    }
  }

  /** @param losses without each unit, for each group; if somebody needs them */
  batchEnd(losses?: readonly tf.Tensor2D[]): void {
    if (!this.#watching) return;
    try {
      if (this.#showsEach) this.#showBatch(losses);
      if (this.#pools) this.#poolBatch();
    } finally {
      this.#forgetBatch();
    }
  }

  /** Shows what waits to the criteria that take several batches as one. */
  flush(): void {
    if (this.#pool.isEmpty) return;
    const { steps } = this.#pool;
    try {
      this.groups.forEach((group, i) => {
        const seen = new WatchedBatches(group, this.#pool.of(i), steps);
        for (const session of group.sessions) session.batchEnd(seen, 'pooled');
      });
    } finally {
      this.#pool.clear();
    }
  }

  /** What one of the pruners, by its number, says of each group. Units are counted among those alive. */
  async judge(pruner: number): Promise<Judge[]> {
    this.flush();
    const worth = new Map<BackwardPruner, Worth>();
    for (const criterion of criteriaOf(this.#pruners[pruner]!)) {
      if ('pass' in criterion) worth.set(criterion, await this.#worthBy(criterion, pruner));
    }
    const judgements: Judge[] = [];
    for (const group of this.judged) {
      const roots = group.alive.map((unit) => group.group.roots[unit]!);
      const worthBy = (criterion: BackwardPruner) =>
        roots.map((root) => worth.get(criterion)!.get(root) ?? 0);
      judgements.push(await group.sessions[pruner]!.judge(new WatchedWeights(group), worthBy));
    }
    return judgements;
  }

  async #worthBy(criterion: BackwardPruner, pruner: number): Promise<Worth> {
    if (!criterion.last) return flowBack(this.#trace, criterion);
    const last = new Map<number, number>();
    for (const group of this.groups.filter(({ isLast }) => isLast)) {
      const numbers = await group.sessions[pruner]!.last(criterion, new WatchedWeights(group));
      group.alive.forEach((unit, i) => {
        last.set(group.group.roots[unit]!, numbers![i]!);
      });
    }
    return flowBack(this.#trace, criterion, last);
  }

  dispose(): void {
    this.detach();
    this.#pool.clear();
    for (const { sums } of this.readers) sums.dispose();
    for (const { sessions, consumers } of this.groups) {
      for (const session of sessions) session.dispose();
      for (const { moments } of consumers) moments?.dispose();
    }
  }

  /** Shows the present batch to the criteria that look at each. */
  #showBatch(losses: readonly tf.Tensor2D[] = []): void {
    for (const [i, group] of this.groups.entries()) {
      const batch = group.sites.map(({ captures }) => captures);
      const seen = new WatchedBatches(group, [batch], [this.#steps], losses[i]);
      for (const session of group.sessions) session.batchEnd(seen, 'each');
    }
  }

  #poolBatch(): void {
    const batch = this.groups.map(({ sites }) => sites.map(({ captures }) => captures));
    if (!this.#pool.fits(batch)) this.flush();
    const steps = this.#poolsSteps ? this.#steps : new Map();
    keepAfter(steps);
    this.#pool.add(batch, steps);
    for (const { sites } of this.groups) for (const site of sites) site.captures = [];
    if (this.#poolsSteps) this.#steps = new Map();
    if (this.#pool.isFull) this.flush();
  }

  #sumUp(
    sums: MomentSums | undefined,
    { target, input }: Pick<Consumer, 'target' | 'input'>,
    when: 'training' | 'always',
  ): void {
    if (!sums) return;
    const value = (tensor: tf.Tensor) => {
      sums.add(tensor);
      tensor.dispose();
    };
    this.#untap.push(tap(target, { side: 'input', input, when, value }));
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
        // where the optimizer steps several times in a batch, the last step is shown
        const earlier = this.#steps.get(name);
        if (earlier) disposeStep(earlier);
        this.#steps.set(name, stepOf(variable, tensor));
      }
    });
  }

  #forgetBatch(): void {
    for (const { sites } of this.groups) {
      for (const site of sites) {
        disposeCaptures(site.captures);
        site.captures = [];
      }
    }
    disposeSteps(this.#steps);
    this.#steps = new Map();
  }
}
