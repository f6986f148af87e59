import type { Graph, LayerSummary } from '@espalier/core';

/** What is drawn as one: a layer, and those behind it that only pass its units on. */
export interface Box {
  readonly layers: readonly [LayerSummary, ...LayerSummary[]];
  /** The models and layers around it, from the outside in: `['encoder', 'encoder/block']`. */
  readonly around: readonly string[];
  /** The boxes that it is drawn behind; itself, too, if its output comes back to it. */
  readonly reads: readonly Box[];
}

/** The boxes of a model, in the order of its layers. */
export function boxesOf({ layers, groups }: Graph): Box[] {
  const makers = new Set(groups.flatMap(({ producers }) => producers));
  const wrappers = new Set(layers.flatMap(({ inside }) => inside ?? []));
  const readers = new Map<string, number>();
  for (const name of layers.flatMap(({ inputs }) => inputs)) readers.set(name, (readers.get(name) ?? 0) + 1);

  const boxOf = new Map<string, Open>();
  for (const layer of layers) {
    const around = namesAround(layer.name, wrappers.has(layer.name));
    const before = layer.inputs.length === 1 ? boxOf.get(layer.inputs[0]!) : undefined;
    const joins =
      before !== undefined &&
      readers.get(before.layers.at(-1)!.name) === 1 &&
      !makers.has(layer.name) &&
      layer.macs === 0 &&
      String(before.around) === String(around) &&
      String(before.layers[0].groups) === String(layer.groups);
    if (joins) before.layers.push(layer);
    boxOf.set(layer.name, joins ? before : { layers: [layer], around, reads: [] });
  }
  const boxes = [...new Set(boxOf.values())];
  const sources = sourcesOf(layers);
  for (const {
    layers: [first],
    reads,
  } of boxes) {
    reads.push(...new Set(sources.get(first.name)!.flatMap((name) => boxOf.get(name) ?? [])));
  }
  return boxes;
}

/**
 * The layers that each one is drawn behind. What works inside another reads what that one reads, if nothing else; and
 * the outer one puts out what its last ones do.
 */
function sourcesOf(layers: readonly LayerSummary[]): ReadonlyMap<string, readonly string[]> {
  const readInside = new Set(layers.flatMap(({ inside, inputs }) => (inside === undefined ? [] : inputs)));
  const sources = new Map<string, readonly string[]>();
  for (const { name, inputs, inside } of layers) {
    const outer = layers.find((layer) => layer.name === inside);
    sources.set(name, inputs.length > 0 || !outer ? inputs : (sources.get(outer.name) ?? []));
  }
  for (const { name } of layers) {
    const last = layers.filter((layer) => layer.inside === name && !readInside.has(layer.name));
    if (last.length > 0) {
      sources.set(
        name,
        last.map((layer) => layer.name),
      );
    }
  }
  return sources;
}

/** A box in the making. */
interface Open extends Box {
  readonly layers: [LayerSummary, ...LayerSummary[]];
  readonly reads: Box[];
}

/** A layer with others inside is drawn among them. */
function namesAround(path: string, isWrapper: boolean): string[] {
  const steps = path.split('/');
  const depth = isWrapper ? steps.length : steps.length - 1;
  return steps.slice(0, depth).map((_, i) => steps.slice(0, i + 1).join('/'));
}
