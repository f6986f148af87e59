import type { Graph, Group } from '../graph/analyze.ts';
import { matcherOf, nearest } from './names.ts';

/** What may be pruned. */
export interface Scope {
  /**
   * Which groups: their ids, kinds (`neuron`, `channel`, `feature`), or globs for ids (`block1_*`). Kinds and globs mean
   * groups that can be pruned exactly, and globs no single features of flattened maps. Default: all that `**` means.
   */
  readonly scope?: readonly string[];
  /**
   * Which layers stay as they are, whatever the scope: their names, those of models around them, or globs
   * (`block1_*`). No unit goes that such a layer makes, or normalises; what it reads may.
   */
  readonly keep?: readonly string[];
}

type Layers = Pick<Graph, 'layers'>;

/** A graph with groups of some kind. */
interface GraphOf<G extends Group> extends Layers {
  readonly groups: readonly G[];
}

/**
 * The groups that may be pruned.
 *
 * @throws if the scope or the keep list names what isn't there, the scope what can't be pruned, or nothing is left.
 */
export function groupsInScope<G extends Group>(graph: GraphOf<G>, { scope, keep = [] }: Scope = {}): G[] {
  const meant = scope ? groupsNamed(graph.groups, scope) : groupsByDefault(graph.groups);
  const kept = keptGroups(graph, keep);
  const chosen = meant.filter((group) => !kept.has(group));
  if (chosen.length > 0) return chosen;
  throw new Error(`[core] keep leaves nothing to prune: it names ${keep.join(', ')}`);
}

const isExact = ({ prunable, exact }: Group): boolean => prunable && exact;

function groupsByDefault<G extends Group>(groups: readonly G[]): G[] {
  const chosen = groups.filter((group) => isExact(group) && group.kind !== 'feature');
  if (chosen.length > 0) return chosen;
  const reasons = groups.map(
    ({ id, reason, inexactReason }) => `${id}: ${reason ?? inexactReason ?? 'single features'}`,
  );
  throw new Error(`[core] no group of this model can be pruned (${reasons.join('; ') || 'it has no units'})`);
}

function groupsNamed<G extends Group>(groups: readonly G[], scope: readonly string[]): G[] {
  if (scope.length === 0) throw new Error('[core] the scope is empty: leave it out, or name groups or kinds');
  const chosen = new Set(scope.flatMap((name) => groupsOf(groups, name)));
  return groups.filter((group) => chosen.has(group));
}

function groupsOf<G extends Group>(groups: readonly G[], name: string): G[] {
  const named = groups.find(({ id }) => id === name);
  if (named && !named.prunable) throw new Error(`[core] group '${name}' can't be pruned: ${named.reason}`);
  if (named) return [named];
  const isMeant = matcherOf(name);
  const meant = groups.filter(
    (group) => isExact(group) && (group.kind === name || (group.kind !== 'feature' && isMeant(group.id))),
  );
  if (meant.length > 0) return meant;
  const there = groups.filter(({ prunable }) => prunable).map(({ id, kind }) => `${id} (${kind})`);
  const near = nearest(name, there);
  throw new Error(
    `[core] the scope names '${name}', which is no prunable group or kind of this model. ` +
      `${near.length < there.length ? 'Nearest' : 'There'} are: ${near.join(', ')}`,
  );
}

/**
 * The names of the layers that patterns mean, without those that have no units to keep.
 *
 * @throws if a pattern means no layer, or none that makes or normalises units.
 */
export function keptLayers(graph: GraphOf<Group>, keep: readonly string[]): string[] {
  if (keep.length === 0) return [];
  const withUnits = new Set(graph.groups.flatMap(layersOf));
  const kept = keep.flatMap((pattern) => {
    const names = graph.layers.map(({ name }) => name);
    const meant = names.filter(matcherOf(pattern));
    const kept = meant.filter((name) => withUnits.has(name));
    if (kept.length > 0) return kept;
    const near = nearest(
      pattern,
      names.filter((name) => withUnits.has(name)),
    );
    throw new Error(
      `[core] keep names '${pattern}', which ${meant.length > 0 ? 'makes no units' : 'is no layer of this model'}. ` +
        `Nearest are: ${near.join(', ')}`,
    );
  });
  return [...new Set(kept)];
}

/** The layers that make a group's units, or normalise them. */
const layersOf = ({ producers, members }: Group): string[] => [
  ...producers,
  ...members.flatMap(({ role, layer }) => (role === 'reads' ? [] : [layer])),
];

/** The groups of which no unit may go for the sake of the layers that stay as they are. */
export function keptGroups<G extends Group>(graph: GraphOf<G>, keep: readonly string[]): Set<G> {
  const kept = new Set<G>();
  if (keep.length === 0) return kept;
  const layers = new Set(keptLayers(graph, keep));
  const parents = new Set<string | undefined>();
  // features come after the units that would take them along
  for (const group of [...graph.groups].reverse()) {
    if (!parents.has(group.id) && !layersOf(group).some((layer) => layers.has(layer))) continue;
    kept.add(group);
    parents.add(group.parent);
  }
  return kept;
}
