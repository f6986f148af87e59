type Json = Record<string, unknown>;
/** [layer, which of its calls, which of that call's outputs, ...]. */
type Reference = [layer: string, call: number, output: number, ...rest: unknown[]];

/** A layer in a model's JSON; those of a Sequential model have no `inbound_nodes`. */
interface LayerEntry {
  readonly name: string;
  readonly class_name: string;
  readonly config: Json;
  inbound_nodes: Reference[][];
}

/** A layer that comes in behind another one: whatever read that reads this. */
export interface AddedLayer {
  /** The other one's path. */
  readonly after: string;
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Json>;
}

/** How a model's layers are joined anew; layers by their paths. */
export interface Wiring {
  /** Layers that go: what reads one reads its input instead. Each is called once. */
  readonly gone: ReadonlySet<string>;
  /** Layers that lose inputs, and the numbers of these. */
  readonly cuts: ReadonlyMap<string, readonly number[]>;
  readonly added: readonly AddedLayer[];
  /** The length of one axis (without the batch) of what comes into a model, where it changes. */
  readonly inputs: ReadonlyMap<string, { readonly axis: number; readonly length: number }>;
}

/** Joins the layers of a model, and of the models in it, anew in its JSON. */
export function rewire(config: Json, wiring: Wiring, prefix = ''): void {
  const entries = config.layers as LayerEntry[];
  for (const entry of entries) narrowInput(entry.config, prefix + nameOf(entry), wiring);
  const stays = (entry: LayerEntry) => !goes(entry, prefix, wiring);
  if (Array.isArray(config.output_layers)) {
    cutInputs(entries, prefix, wiring);
    addLayers(config, prefix, wiring);
    bypass(config, entries, stays);
  } else {
    passInputOn(entries, stays);
  }
  const left = (config.layers as LayerEntry[]).filter(stays);
  config.layers = left;
  for (const entry of left) {
    if (Array.isArray(entry.config.layers)) rewire(entry.config, wiring, `${prefix}${nameOf(entry)}/`);
  }
}

const nameOf = ({ config }: LayerEntry): string => String(config.name);

/** A model of which nothing but inputs is left goes with its layers. */
function goes(entry: LayerEntry, prefix: string, wiring: Wiring): boolean {
  const path = prefix + nameOf(entry);
  const { layers } = entry.config;
  if (!Array.isArray(layers)) return wiring.gone.has(path);
  if (wiring.added.some(({ after }) => after.startsWith(`${path}/`))) return false;
  return (layers as LayerEntry[]).every(
    (inner) => inner.class_name === 'InputLayer' || goes(inner, `${path}/`, wiring),
  );
}

function narrowInput(config: Json, path: string, { inputs }: Wiring): void {
  const change = inputs.get(path);
  const shape = config.batch_input_shape;
  if (!change || !Array.isArray(shape)) return;
  config.batch_input_shape = shape.map((n, a) => (a === change.axis + 1 ? change.length : n));
}

function cutInputs(entries: readonly LayerEntry[], prefix: string, { cuts }: Wiring): void {
  for (const entry of entries) {
    const cut = cuts.get(prefix + nameOf(entry));
    if (cut) entry.inbound_nodes = [entry.inbound_nodes[0]!.filter((_, i) => !cut.includes(i))];
  }
}

/** All places that name a layer's output. */
const referencesIn = (config: Json): Reference[] => [
  ...(config.layers as LayerEntry[]).flatMap(({ inbound_nodes: calls }) => calls.flat()),
  ...(config.output_layers as Reference[]),
];

function addLayers(config: Json, prefix: string, { added }: Wiring): void {
  for (const { after, name, className, config: own } of added) {
    const before = after.slice(prefix.length);
    const entries = config.layers as LayerEntry[];
    if (!after.startsWith(prefix) || !entries.some((entry) => nameOf(entry) === before)) continue;
    for (const reference of referencesIn(config)) if (reference[0] === before) reference[0] = name;
    entries.push({
      name,
      class_name: className,
      config: { ...own, name },
      inbound_nodes: [[[before, 0, 0, {}]]],
    });
  }
}

function bypass(config: Json, entries: readonly LayerEntry[], stays: (entry: LayerEntry) => boolean): void {
  const inputOf = new Map(
    entries.flatMap((entry) => (stays(entry) ? [] : [[nameOf(entry), entry.inbound_nodes[0]![0]!] as const])),
  );
  for (const reference of referencesIn(config)) {
    for (let from = inputOf.get(reference[0]); from; from = inputOf.get(reference[0])) {
      [reference[0], reference[1], reference[2]] = from;
    }
  }
}

/** The first layer of a Sequential model knows what comes in. */
function passInputOn(entries: readonly LayerEntry[], stays: (entry: LayerEntry) => boolean): void {
  const first = entries.find(stays);
  if (!first || stays(entries[0]!) || Array.isArray(first.config.layers)) return;
  first.config.batch_input_shape = inputShapeOf(entries[0]!);
}

function inputShapeOf({ config }: LayerEntry): unknown {
  return Array.isArray(config.layers)
    ? inputShapeOf((config.layers as LayerEntry[])[0]!)
    : config.batch_input_shape;
}
