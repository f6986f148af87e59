import type { Member } from './analyze.ts';
import type { LabelClasses } from './classes.ts';
import { FIXED, varyingAxes } from './labels.ts';
import type { Observation } from './rule.ts';
import { SELECTION_CLASS } from './rules/reshape.ts';
import type { Trace, TracedLayer, TracedValue } from './trace.ts';

/** What a group's units are: neurons of a Dense layer, channels of a map, positions of a flattened map. */
export type GroupKind = 'neuron' | 'channel' | 'feature';

/** A group in the making. */
export interface Draft {
  readonly id: string;
  readonly kind: GroupKind;
  /** The numbers of the layers that make its units. */
  readonly producers: readonly number[];
  /** The class representative of each unit. */
  readonly roots: number[];
  readonly members: Member[];
}

/** All groups, those of features behind those of their channels, and which one each class of labels is in. */
export function draftsOf(trace: Trace): { drafts: readonly Draft[]; draftOf: readonly Draft[] } {
  const drafts = draftGroups(trace);
  const draftOf: Draft[] = new Array(trace.classes.last + 1);
  const unitOf = new Int32Array(trace.classes.last + 1);
  for (const draft of drafts) {
    draft.roots.forEach((root, unit) => {
      draftOf[root] = draft;
      unitOf[root] = unit;
    });
  }
  collectMembers(trace, draftOf, unitOf);
  return { drafts: parentsFirst(drafts, draftOf, trace.classes), draftOf };
}

/** Numbers for what is met over and over: a number each, from 0. */
class Numbers<Key> {
  readonly #numbers = new Map<Key, number>();

  of(key: Key): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}

/** Sets of layers that make units together; the first ones are the layers by themselves. */
class OwnerSets {
  readonly #sets: (readonly number[])[];
  readonly #numbers = new Map<string, number>();
  /** What a set becomes with one more layer. */
  readonly #next = new Map<number, number>();

  constructor(layers: number) {
    this.#sets = Array.from({ length: layers }, (_, layer) => [layer]);
  }

  layersOf(set: number): readonly number[] {
    return this.#sets[set]!;
  }

  with(set: number, owner: number): number {
    const step = set * 2 ** 24 + owner;
    const known = this.#next.get(step);
    if (known !== undefined) return known;
    const owners = [...new Set([...this.#sets[set]!, owner])].sort((a, b) => a - b);
    const next = owners.length === 1 ? owner : this.#numbered(owners);
    this.#next.set(step, next);
    return next;
  }

  #numbered(owners: readonly number[]): number {
    const key = owners.join();
    const number = this.#numbers.get(key) ?? this.#sets.push(owners) - 1;
    this.#numbers.set(key, number);
    return number;
  }
}

/** One group for each set of layers that make units together (and for each reason that freezes some). */
function draftGroups({ classes, layers }: Trace): Draft[] {
  const sets = new OwnerSets(layers.length);
  const setOf = new Int32Array(classes.last + 1).fill(-1);
  for (let label = 1; label <= classes.last; label++) {
    const root = classes.find(label);
    const owner = classes.ownerOf(label);
    setOf[root] = setOf[root] === -1 ? owner : sets.with(setOf[root]!, owner);
  }
  const [drafts, ids] = [new Map<number, Draft>(), new Map<string, number>()];
  const [reasons, kinds] = [new Numbers<string | undefined>(), new Numbers<number>()];
  for (let root = 1; root <= classes.last; root++) {
    if (classes.find(root) !== root) continue;
    const parent = classes.parentOf(root);
    const parentOwner = parent === FIXED ? 0 : classes.ownerOf(parent) + 1;
    const why = [reasons.of(classes.frozen(root)), reasons.of(classes.inexact(root))];
    // what came before as one number, so that this one stays exact
    const key = [parentOwner, ...why].reduce((sum, part) => kinds.of(sum * 2 ** 24 + part), setOf[root]!);
    const draft = drafts.get(key);
    if (draft) {
      draft.roots.push(root);
      continue;
    }
    const producers = sets.layersOf(setOf[root]!);
    const first = layers[producers[0]!]!;
    const count = (ids.get(first.path) ?? 0) + 1;
    ids.set(first.path, count);
    const id = count === 1 ? first.path : `${first.path}#${count}`;
    drafts.set(key, { id, kind: kindOf(first), producers, roots: [root], members: [] });
  }
  return [...drafts.values()];
}

/** A budget counts what is left of a group's features after the group itself was judged. */
function parentsFirst(
  drafts: readonly Draft[],
  draftOf: readonly Draft[],
  classes: LabelClasses,
): readonly Draft[] {
  const ordered = new Set<Draft>();
  const place = (draft: Draft, waiting: readonly Draft[]): void => {
    if (ordered.has(draft) || waiting.includes(draft)) return;
    const parents = new Set(draft.roots.map((root) => draftOf[classes.parentOf(root)]));
    for (const parent of parents) if (parent) place(parent, [...waiting, draft]);
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
  for (const { path: layer, weights } of layers) {
    // the vectors of a normalisation have the same labels
    const known = new Map<Int32Array, ReadonlyMap<Draft, Places>>();
    for (const { name: weight, axes } of weights) {
      axes.forEach((described, axis) => {
        if (!described) return;
        const { role, labels } = described;
        const places = known.get(labels) ?? placesOn(labels, classes, draftOf, unitOf);
        known.set(labels, places);
        for (const [draft, { entries, units }] of places) {
          draft.members.push({ layer, weight, axis, role, entries, units });
        }
      });
    }
  }
}

type Places = Pick<Member, 'entries' | 'units'>;

/** Where the units of each group stand on an axis. */
function placesOn(
  labels: Int32Array,
  classes: LabelClasses,
  draftOf: readonly Draft[],
  unitOf: Int32Array,
): ReadonlyMap<Draft, Places> {
  const places = new Map<Draft, { readonly entries: number[]; readonly units: number[] }>();
  for (let entry = 0; entry < labels.length; entry++) {
    if (labels[entry] === FIXED) continue;
    for (let root = classes.find(labels[entry]!); root !== FIXED; root = classes.parentOf(root)) {
      const draft = draftOf[root]!;
      let place = places.get(draft);
      if (!place) {
        place = { entries: [], units: [] };
        places.set(draft, place);
      }
      place.entries.push(entry);
      place.units.push(unitOf[root]!);
    }
  }
  return new Map(
    [...places].map(([draft, { entries, units }]) => [
      draft,
      { entries: new Int32Array(entries), units: new Int32Array(units) },
    ]),
  );
}

/** Where its rule says, or the output of the layer that makes the units, or of the last pointwise layer behind it. */
export function sitesOf(producer: TracedLayer): readonly Observation[] {
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
