import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Analysis, AnalyzedGroup, Site } from '../graph/analyze.ts';
import { FIXED } from '../graph/labels.ts';
import type { Layer } from '../graph/rule.ts';
import type { TracedLayer, TracedWeight } from '../graph/trace.ts';
import type { Compensation } from '../plan/compensation.ts';
import type { Evidence, Pruner, Seen, Update, Weights } from '../pruner.ts';
import { type Layout, layoutOf, toRows } from './layout.ts';
import { MomentSums } from './moments.ts';
import { type Judgement, Session } from './session.ts';
import { tap, tapOptimizer } from './taps.ts';

/** A group of the scope with the units of it that are still there, ascending. */
export interface Watched {
  readonly group: AnalyzedGroup;
  readonly alive: readonly number[];
}

/** A weight that reads a group's units. */
export interface Consumer {
  /** The layer's path. */
  readonly layer: string;
  readonly weight: string;
  readonly hasBias: boolean;
  /** Whether units can take over from each other there. */
  readonly foldable: boolean;
  readonly moments: MomentSums | undefined;
  readonly target: Layer;
}

interface PlacedWeight {
  readonly weight: TracedWeight;
  readonly layout: Layout;
}

interface Capture {
  readonly value: tf.Tensor;
  error?: tf.Tensor;
}

interface WatchedSite {
  readonly site: Site;
  readonly layout: Layout;
  captures: Capture[];
}

interface GroupWatch extends Watched {
  readonly sessions: readonly Session[];
  readonly sites: readonly WatchedSite[];
  readonly makes: readonly PlacedWeight[];
  readonly biases: readonly PlacedWeight[];
  readonly reads: readonly PlacedWeight[];
  readonly consumers: readonly Consumer[];
}

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
        this.#untap.push(tap(site.layer.layer, { side: site.side, when, value }));
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

function groupWatch(
  { trace }: Analysis,
  { group, alive }: Watched,
  pruners: readonly Pruner[],
  compensation: Pick<Compensation, 'needs'>,
): GroupWatch {
  const rank = new Map(alive.map((unit, i) => [unit, i]));
  const unitOf = new Map<number, number>();
  group.roots.forEach((root, unit) => {
    const index = rank.get(unit);
    if (index !== undefined) unitOf.set(root, index);
  });
  const layers = new Map(trace.layers.map((layer) => [layer.path, layer]));
  const makes: PlacedWeight[] = [];
  const biases: PlacedWeight[] = [];
  const reads: PlacedWeight[] = [];
  const consumers: Consumer[] = [];
  for (const { layer: path, weight: name, axis, role, entries, units } of group.members) {
    if (role === 'along') continue;
    const layer = layers.get(path)!;
    const weight = layer.weights.find((candidate) => candidate.name === name)!;
    const entriesOf = alive.map((): number[] => []);
    entries.forEach((entry, i) => {
      const index = rank.get(units[i]!);
      if (index !== undefined) entriesOf[index]!.push(entry);
    });
    const placed = { weight, layout: layoutOf(axis, weight.shape[axis]!, entriesOf) };
    if (role === 'makes') (weight.shape.length > 1 ? makes : biases).push(placed);
    else reads.push(placed);
    if (role === 'reads') consumers.push(consumerOf(layer, weight, placed.layout, compensation));
  }
  const sites = group.sites.map((site): WatchedSite => {
    const entriesOf = alive.map((): number[] => []);
    site.labels.forEach((label, entry) => {
      const index = label === FIXED ? undefined : unitOf.get(trace.classes.find(label));
      if (index !== undefined) entriesOf[index]!.push(entry);
    });
    return { site, layout: layoutOf(site.axis + 1, site.labels.length, entriesOf), captures: [] };
  });
  const sessions: Session[] = [];
  try {
    for (const pruner of pruners) sessions.push(new Session(pruner, alive.length));
  } catch (error) {
    for (const session of sessions) session.dispose();
    throw error;
  }
  return { group, alive, sessions, sites, makes, biases, reads, consumers };
}

function consumerOf(
  { path, layer }: TracedLayer,
  { name, contracts }: TracedWeight,
  layout: Layout,
  { needs }: Pick<Compensation, 'needs'>,
): Consumer {
  // a unit takes over from another entry by entry, so they must have equally many
  const foldable = contracts !== undefined && !layout.entries.includes(-1);
  const moments =
    needs && foldable
      ? new MomentSums({ ...layout, axis: contracts.inputAxis + 1 }, needs === 'products')
      : undefined;
  return {
    layer: path,
    weight: name,
    hasBias: contracts?.bias !== undefined,
    foldable,
    moments,
    target: layer,
  };
}

/** The weights as they are when they are read, in the reader's tidy. */
function weightsOf(watched: GroupWatch): Weights {
  const read = ({ variable }: TracedWeight) => variable.read();
  const units = watched.alive.length;
  return Object.defineProperties({ group: watched.group.id } as Weights, {
    incoming: { get: () => incomingRows(watched, watched.makes, read) },
    outgoing: { get: () => outgoingRows(watched, watched.reads, read) },
    bias: {
      get: () =>
        watched.biases.length === 0
          ? tf.zeros([units])
          : tf.sum(
              stacked(
                watched.biases.map(({ weight, layout }) => toRows(read(weight), layout)),
                units,
              ),
              0,
            ),
    },
  });
}

function incomingRows(
  { alive }: GroupWatch,
  placed: readonly PlacedWeight[],
  read: (weight: TracedWeight) => tf.Tensor,
): tf.Tensor2D {
  return stacked(
    placed.map(({ weight, layout }) => toRows(read(weight), layout)),
    alive.length,
  );
}

function outgoingRows(
  watched: GroupWatch,
  placed: readonly PlacedWeight[],
  read: (weight: TracedWeight) => tf.Tensor,
): tf.Tensor2D {
  return tf.transpose(incomingRows(watched, placed, read));
}

function rowsOf(sites: readonly WatchedSite[], of: (capture: Capture) => tf.Tensor): tf.Tensor2D {
  const parts = sites.flatMap(({ captures, layout }) =>
    captures.map((capture) => toRows(of(capture), layout)),
  );
  return stacked(parts, sites[0]?.layout.units ?? 0);
}

function stacked(parts: readonly tf.Tensor2D[], units: number): tf.Tensor2D {
  if (parts.length === 0) return tf.zeros([0, units]);
  return parts.length === 1 ? parts[0]! : tf.concat([...parts], 0);
}
