import type { Analysis, AnalyzedGroup } from '../graph/analyze.ts';
import { constantPlaceOf } from '../graph/contraction.ts';
import { FIXED } from '../graph/labels.ts';
import type { Layer, Observation } from '../graph/rule.ts';
import type { Trace, TracedLayer, TracedWeight } from '../graph/trace.ts';
import type { Compensation } from '../plan/compensation.ts';
import type { Pruner } from '../pruner.ts';
import { looksAt } from './criteria.ts';
import { type Layout, layoutOf } from './layout.ts';
import { MomentSums } from './moments.ts';
import { openSession, type Session } from './session.ts';
import type { Capture } from './taps.ts';

/** A group of the scope with the units of it that are still there, ascending. */
export interface Watched {
  readonly group: AnalyzedGroup;
  readonly alive: readonly number[];
}

/** A weight that reads a group's units. */
export interface Consumer {
  /** The layer's path. */
  readonly layer: string;
  readonly kernel: TracedWeight;
  /** Where the units stand on the axis by which it reads. */
  readonly layout: Layout;
  /** Whether a constant can go to what it makes. */
  readonly hasBias: boolean;
  /** Whether units can take over from each other there. */
  readonly foldable: boolean;
  readonly moments: MomentSums | undefined;
  /** The layer whose calls read the units, and by which of their inputs. */
  readonly target: Layer;
  readonly input: number;
}

/** A weight, and where the units of the group stand on it. */
export interface PlacedWeight {
  readonly weight: TracedWeight;
  readonly layout: Layout;
}

/** Where a group's units are observed, with what was captured there of the present batch. */
export interface WatchedSite {
  readonly site: Observation;
  readonly layout: Layout;
  captures: Capture[];
}

/** A group with all that is looked at while data flows. */
export interface GroupWatch extends Watched {
  /** Whether outputs are made of its units, and a criterion starts there. */
  readonly isLast: boolean;
  readonly sessions: readonly Session[];
  readonly sites: readonly WatchedSite[];
  readonly makes: readonly PlacedWeight[];
  readonly biases: readonly PlacedWeight[];
  readonly scales: readonly PlacedWeight[];
  readonly reads: readonly PlacedWeight[];
  readonly consumers: readonly Consumer[];
}

/** Lays out a group's units on everything that pruners and a compensation look at. */
export function groupWatch(
  { trace }: Analysis,
  { group, alive }: Watched,
  pruners: readonly Pruner[],
  compensation: Pick<Compensation, 'needs' | 'fold'>,
  isLast: boolean,
): GroupWatch {
  const rank = new Map(alive.map((unit, i) => [unit, i]));
  const unitOf = new Map<number, number>();
  group.roots.forEach((root, unit) => {
    const index = rank.get(unit);
    if (index !== undefined) unitOf.set(root, index);
  });
  const makes: PlacedWeight[] = [];
  const biases: PlacedWeight[] = [];
  const scales: PlacedWeight[] = [];
  const reads: PlacedWeight[] = [];
  const consumers: Consumer[] = [];
  for (const { layer: path, weight: name, axis, role, entries, units } of group.members) {
    const layer = trace.byPath.get(path)!;
    if (role === 'along' && name !== layer.scales) continue;
    const weight = layer.weights.find((candidate) => candidate.name === name)!;
    const entriesOf = alive.map((): number[] => []);
    entries.forEach((entry, i) => {
      const index = rank.get(units[i]!);
      if (index !== undefined) entriesOf[index]!.push(entry);
    });
    const placed = { weight, layout: layoutOf(axis, weight.shape[axis]!, entriesOf) };
    if (role === 'makes') (weight.shape.length > 1 ? makes : biases).push(placed);
    else (role === 'reads' ? reads : scales).push(placed);
    if (role === 'reads') consumers.push(consumerOf(trace, layer, weight, placed.layout, compensation));
  }
  const observed = pruners.some((pruner) => looksAt(pruner, isLast)) ? group.sites : [];
  const sites = observed.map((site): WatchedSite => {
    const entriesOf = alive.map((): number[] => []);
    site.labels.forEach((label, entry) => {
      const index = label === FIXED ? undefined : unitOf.get(trace.classes.find(label));
      if (index !== undefined) entriesOf[index]!.push(entry);
    });
    return { site, layout: layoutOf(site.axis + 1, site.labels.length, entriesOf), captures: [] };
  });
  const sessions: Session[] = [];
  try {
    for (const pruner of pruners) sessions.push(openSession(pruner, alive.length, isLast));
  } catch (error) {
    for (const session of sessions) session.dispose();
    throw error;
  }
  return { group, alive, isLast, sessions, sites, makes, biases, scales, reads, consumers };
}

function consumerOf(
  trace: Trace,
  traced: TracedLayer,
  kernel: TracedWeight,
  layout: Layout,
  { needs, fold }: Pick<Compensation, 'needs' | 'fold'>,
): Consumer {
  const { contracts } = kernel;
  // a unit takes over from another entry by entry, so they must have equally many
  const foldable = contracts !== undefined && !layout.entries.includes(-1);
  const moments =
    needs && fold && foldable
      ? new MomentSums({ ...layout, axis: contracts.inputAxis + 1 }, needs === 'covariances')
      : undefined;
  return {
    layer: traced.path,
    kernel,
    layout,
    hasBias: contracts !== undefined && constantPlaceOf(trace, traced, kernel) !== undefined,
    foldable,
    moments,
    target: contracts?.of?.layer ?? traced.layer,
    input: contracts?.of?.input ?? 0,
  };
}
