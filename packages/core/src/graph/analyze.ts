import type { LayersModel } from '@tensorflow/tfjs-layers';
import { asLayersModel } from '../model.ts';
import { type Draft, draftsOf, type GroupKind, sitesOf } from './groups.ts';
import type { Observation } from './rule.ts';
import { type Trace, type TracedLayer, trace } from './trace.ts';

export type { GroupKind } from './groups.ts';

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
  /** The layers whose outputs it reads, over all its calls. */
  readonly inputs: readonly string[];
  /** The ids of the groups whose units are in its outputs. */
  readonly groups: readonly string[];
  /** The layer that it works inside, such as a TimeDistributed one. */
  readonly inside?: string;
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
  /** The same by their ids. */
  readonly byId: ReadonlyMap<string, AnalyzedGroup>;
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
  const { drafts, draftOf } = draftsOf(traced);

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
      members: draft.members,
      prunable: reason === undefined,
      ...(reason !== undefined && { reason }),
      exact: inexactReason === undefined,
      ...(inexactReason !== undefined && { inexactReason }),
      ...(parent !== undefined && { parent }),
      roots: new Int32Array(draft.roots),
      sites: draft.producers.flatMap((index) => sitesOf(layers[index]!)),
    };
  });
  const summaries = layers.map((layer) => summarize(layer, traced, draftOf));
  const byId = new Map(groups.map((group) => [group.id, group]));
  return { groups, byId, layers: summaries, cost: totalCost(summaries), trace: traced };
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

function summarize(layer: TracedLayer, trace: Trace, draftOf: readonly Draft[]): LayerSummary {
  const producers = layer.inputs.flatMap(({ producer }) => producer?.path ?? []);
  const isAround = ({ path }: TracedLayer) => layer.path.startsWith(`${path}/`);
  // layers are met from the outside in
  const around = layer.isPart ? trace.layers.findLast(isAround) : undefined;
  return {
    name: layer.path,
    className: layer.layer.getClassName(),
    outputShape: [null, ...(layer.outputs[0]?.labels.shape ?? [])],
    inputs: [...new Set(producers)],
    groups: groupsIn(layer, trace, draftOf),
    ...(around && { inside: around.path }),
    ...layerCost(layer, (labels) => labels.length),
  };
}

/** The groups whose units are in a layer's outputs. */
function groupsIn({ outputs }: TracedLayer, { classes }: Trace, draftOf: readonly Draft[]): string[] {
  const drafts = new Set<Draft>();
  for (const { labels } of outputs) {
    for (const label of labels.data) {
      const draft = draftOf[classes.find(label)];
      if (draft) drafts.add(draft);
    }
  }
  return [...drafts].map(({ id }) => id);
}
