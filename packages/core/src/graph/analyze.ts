import type { LayersModel } from '@tensorflow/tfjs-layers';
import { asLayersModel } from '../model.ts';
import { FIXED, varyingAxes } from './labels.ts';
import type { Observation } from './rule.ts';
import { SELECTION_CLASS } from './rules/reshape.ts';
import { type Trace, type TracedLayer, type TracedValue, trace } from './trace.ts';

/** What a group's units are: neurons of a Dense layer, channels of a map, positions of a flattened map. */
export type GroupKind = 'neuron' | 'channel' | 'feature';

/** The entries of one axis of one weight that belong to a group's units. */
export interface Member {
  /** The layer's name, after those of the models around it: `encoder/conv1`. */
  readonly layer: string;
  /** The weight's name within its layer: `kernel`. */
  readonly weight: string;
  readonly axis: number;
  /** `reads`: a consumer's input axis; `makes`: the producer's output axis; `along`: a normalisation. */
  readonly role: 'reads' | 'makes' | 'along';
  /** Positions on the axis, ascending, and (same length) the unit of the group that each belongs to. */
  readonly entries: Int32Array;
  readonly units: Int32Array;
}

/** Units in different layers that live or die together. */
export interface Group {
  /** The name of the first layer that makes the units. */
  readonly id: string;
  readonly kind: GroupKind;
  /** The number of units. */
  readonly size: number;
  /** The layers that make the units. */
  readonly producers: readonly string[];
  readonly members: readonly Member[];
  /** Whether the units may be removed; if not, `reason` says why. */
  readonly prunable: boolean;
  readonly reason?: string;
  /**
   * Whether the smaller model computes just what the masked one does; if not, `inexactReason` says why,
   * and the group is only pruned when a scope names it.
   */
  readonly exact: boolean;
  readonly inexactReason?: string;
  /** The group whose units these are features of: removing one of its units takes features along. */
  readonly parent?: string;
}

/** Parameters, multiply-adds of one forward pass of one example, and bytes of the float32 weights. */
export interface Cost {
  readonly params: number;
  readonly macs: number;
  readonly bytes: number;
}

/** A layer with its share of the cost. */
export interface LayerSummary extends Cost {
  readonly name: string;
  readonly className: string;
  /** With the batch, which is null. */
  readonly outputShape: readonly (number | null)[];
}

/** What `analyze` finds. */
export interface Graph {
  readonly groups: readonly Group[];
  readonly layers: readonly LayerSummary[];
  readonly cost: Cost;
}

/** Groups with what core itself needs of them. */
export interface AnalyzedGroup extends Group {
  /** The class representative of each unit. */
  readonly roots: Int32Array;
  /** Where the units are observed; one for each producer. */
  readonly sites: readonly Observation[];
}

export interface Analysis extends Graph {
  readonly trace: Trace;
  readonly groups: readonly AnalyzedGroup[];
}

/**
 * Finds which units of a model hang together, and which of them can be removed.
 *
 * @throws if `model` is not a LayersModel.
 */
export function analyze(model: LayersModel): Graph {
  return analyzeInternals(model);
}

/** `analyze` with what the rest of core works on. */
export function analyzeInternals(model: LayersModel): Analysis {
  const traced = trace(asLayersModel(model));
  const { classes, layers } = traced;
  const drafts = draftGroups(traced);
  const draftOf: Draft[] = [];
  const unitOf = new Int32Array(classes.last + 1);
  for (const draft of drafts) {
    draft.roots.forEach((root, unit) => {
      draftOf[root] = draft;
      unitOf[root] = unit;
    });
  }
  collectMembers(traced, draftOf, unitOf);

  const groups = drafts.map((draft): AnalyzedGroup => {
    const first = draft.roots[0]!;
    const parent = draftOf[classes.parentOf(first)]?.id;
    const reason = classes.frozen(first) ?? (draft.members.length === 0 ? 'no weight holds it' : undefined);
    const inexactReason = classes.inexact(first);
    return {
      id: draft.id,
      kind: draft.kind,
      size: draft.roots.length,
      producers: draft.producers.map((index) => layers[index]!.path),
      members: draft.members.map(({ entries, units, ...member }) => ({
        ...member,
        entries: Int32Array.from(entries),
        units: Int32Array.from(units),
      })),
      prunable: reason === undefined,
      ...(reason !== undefined && { reason }),
      exact: inexactReason === undefined,
      ...(inexactReason !== undefined && { inexactReason }),
      ...(parent !== undefined && { parent }),
      roots: Int32Array.from(draft.roots),
      sites: draft.producers.flatMap((index) => sitesOf(layers[index]!)),
    };
  });
  const summaries = layers.map((layer) => summarize(layer));
  return { groups, layers: summaries, cost: totalCost(summaries), trace: traced };
}

/** The sum over layers. */
export function totalCost(layers: readonly Cost[]): Cost {
  const sum = (of: (cost: Cost) => number) => layers.reduce((total, cost) => total + of(cost), 0);
  return { params: sum((c) => c.params), macs: sum((c) => c.macs), bytes: sum((c) => c.bytes) };
}

/** A layer's cost with some entries of its weights' axes kept. */
export function layerCost(layer: TracedLayer, keptOf: (labels: Int32Array) => number): Cost {
  let [params, macs] = [0, 0];
  for (const { shape, axes, uses } of layer.weights) {
    const entries = shape.reduce((total, n, a) => total * (axes[a] ? keptOf(axes[a].labels) : n), 1);
    params += entries;
    macs += entries * uses;
  }
  return { params, macs, bytes: params * 4 };
}

function summarize(layer: TracedLayer): LayerSummary {
  return {
    name: layer.path,
    className: layer.layer.getClassName(),
    outputShape: [null, ...(layer.outputs[0]?.labels.shape ?? [])],
    ...layerCost(layer, (labels) => labels.length),
  };
}

interface Draft {
  readonly id: string;
  readonly kind: GroupKind;
  readonly producers: readonly number[];
  readonly roots: number[];
  readonly members: {
    readonly layer: string;
    readonly weight: string;
    readonly axis: number;
    readonly role: Member['role'];
    readonly entries: number[];
    readonly units: number[];
  }[];
}

/** One group for each set of layers that make units together (and for each reason that freezes some). */
function draftGroups({ classes, layers }: Trace): Draft[] {
  const ownersOf = new Map<number, Set<number>>();
  for (let label = 1; label <= classes.last; label++) {
    const root = classes.find(label);
    const owners = ownersOf.get(root) ?? new Set();
    ownersOf.set(root, owners.add(classes.ownerOf(label)));
  }
  const drafts = new Map<string, Draft>();
  const ids = new Map<string, number>();
  for (const [root, owners] of ownersOf) {
    const producers = [...owners].sort((a, b) => a - b);
    const parent = classes.parentOf(root);
    const parentOwner = parent === FIXED ? '' : classes.ownerOf(parent);
    const key = [producers, parentOwner, classes.frozen(root), classes.inexact(root)].join('|');
    const draft = drafts.get(key);
    if (draft) {
      draft.roots.push(root);
      continue;
    }
    const first = layers[producers[0]!]!;
    const count = (ids.get(first.path) ?? 0) + 1;
    ids.set(first.path, count);
    drafts.set(key, {
      id: count === 1 ? first.path : `${first.path}#${count}`,
      kind: kindOf(first),
      producers,
      roots: [root],
      members: [],
    });
  }
  return parentsFirst([...drafts.values()], classes);
}

/** A budget counts what is left of a group's features after the group itself was judged. */
function parentsFirst(drafts: readonly Draft[], classes: Trace['classes']): Draft[] {
  const draftOf = new Map(drafts.flatMap((draft) => draft.roots.map((root) => [root, draft])));
  const ordered = new Set<Draft>();
  const place = (draft: Draft, waiting: readonly Draft[]): void => {
    if (ordered.has(draft) || waiting.includes(draft)) return;
    for (const root of draft.roots) {
      const parent = draftOf.get(classes.parentOf(root));
      if (parent) place(parent, [...waiting, draft]);
    }
    ordered.add(draft);
  };
  for (const draft of drafts) place(draft, []);
  return [...ordered];
}

function kindOf(layer: TracedLayer): GroupKind {
  const className = layer.layer.getClassName();
  if (className === 'Flatten' || className === SELECTION_CLASS) return 'feature';
  if (layer.outputs[0]!.labels.shape.length > 1) return 'channel';
  return 'neuron';
}

/** Lists, for each unit, the entries of all weights that are its own or its features'. */
function collectMembers({ classes, layers }: Trace, draftOf: readonly Draft[], unitOf: Int32Array): void {
  for (const { path, weights } of layers) {
    for (const { name, axes } of weights) {
      axes.forEach((axis, a) => {
        if (!axis) return;
        const here = new Map<Draft, Draft['members'][number]>();
        const memberOf = (draft: Draft) => {
          let member = here.get(draft);
          if (!member) {
            member = { layer: path, weight: name, axis: a, role: axis.role, entries: [], units: [] };
            here.set(draft, member);
            draft.members.push(member);
          }
          return member;
        };
        axis.labels.forEach((label, entry) => {
          if (label === FIXED) return;
          for (let root = classes.find(label); root !== FIXED; root = classes.parentOf(root)) {
            const { entries, units } = memberOf(draftOf[root]!);
            entries.push(entry);
            units.push(unitOf[root]!);
          }
        });
      });
    }
  }
}

/** Where its rule says, or the output of the layer that makes the units, or of the last pointwise layer behind it. */
function sitesOf(producer: TracedLayer): readonly Observation[] {
  if (producer.observed.length > 0) return producer.observed;
  let site = siteAt(producer, producer.outputs[0]!);
  if (!site) return [];
  let value: TracedValue = producer.outputs[0]!;
  if (producer.calls > 1) return [site];
  for (;;) {
    const [next, ...others] = value.consumers;
    if (!next?.rule?.pointwise || others.length > 0 || next.calls > 1) return [site];
    value = next.outputs[0]!;
    const further = siteAt(next, value);
    if (!further) return [site];
    site = further;
  }
}

function siteAt({ layer }: TracedLayer, { labels }: TracedValue): Observation | undefined {
  const varying = varyingAxes(labels);
  if (varying.length > 1) return undefined;
  const axis = varying[0] ?? labels.shape.length - 1;
  return { layer, axis, labels: labels.data };
}
