/** A layer's entry in the config of a functional model. */
interface Entry {
  readonly name: string;
  readonly config: { readonly name?: unknown; readonly layers?: unknown };
  /** For each of its calls, what it reads: [layer, which of that one's calls, which output]. */
  readonly inbound_nodes: readonly (readonly (readonly unknown[])[])[];
  readonly class_name?: unknown;
}

/**
 * Finds what would keep TensorFlow.js waiting for ever when it builds a functional model, a call that reads what no
 * other call makes, and what it fails at later. Models within are looked through, too.
 *
 * @param topology `modelTopology` of a model.json, or a part of it.
 * @returns What is wrong, or nothing.
 */
export function wiringFault(topology: unknown): string | undefined {
  if (typeof topology !== 'object' || topology === null) return undefined;
  const { layers, output_layers: outputs } = topology as Readonly<Record<string, unknown>>;
  const isFunctional = Array.isArray(layers) && layers.some(isCalled);
  const own = isFunctional ? (faultAmong(layers) ?? outputTwice(outputs)) : undefined;
  if (own !== undefined) return own;
  for (const part of Object.values(topology)) {
    const fault = wiringFault(part);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** TensorFlow.js builds such a model, and fails when it runs. */
function outputTwice(outputs: unknown): string | undefined {
  if (!Array.isArray(outputs)) return undefined;
  const said = outputs.map((output) => JSON.stringify(output));
  const twice = said.find((output, i) => said.indexOf(output) !== i);
  return twice && `the model puts out ${twice} twice`;
}

const isCalled = (layer: unknown): boolean =>
  typeof layer === 'object' && layer !== null && 'inbound_nodes' in layer;

function faultAmong(layers: readonly unknown[]): string | undefined {
  const strange = layers.findIndex((layer) => !isEntry(layer));
  if (strange >= 0) return `layer ${strange} of a model lacks a name, a config or inbound_nodes`;
  const entries = layers as readonly Entry[];
  const names = entries.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return `two layers of a model are named ${twice}`;
  const renamed = entries.find(({ name, config }) => config.name !== name);
  if (renamed) return `layer ${renamed.name} is named ${String(renamed.config.name)} in its config`;
  return unmade(entries);
}

const isEntry = (layer: unknown): layer is Entry => {
  const { name, config, inbound_nodes: calls } = (layer ?? {}) as Partial<Record<keyof Entry, unknown>>;
  const areCalls =
    Array.isArray(calls) && calls.every((call) => Array.isArray(call) && call.every(Array.isArray));
  return typeof name === 'string' && typeof config === 'object' && config !== null && areCalls;
};

/** Makes calls as long as there are some that have what they read, as TensorFlow.js does. */
function unmade(entries: readonly Entry[]): string | undefined {
  // an input layer, and a model, has one call from the start
  const made = new Map(
    entries.map(({ name, class_name: kind, config }) => [
      name,
      kind === 'InputLayer' || Array.isArray(config.layers) ? 1 : 0,
    ]),
  );
  const isThere = ([layer, call]: readonly unknown[]): boolean =>
    (made.get(layer as string) ?? 0) > Number(call);
  let waiting = entries.flatMap(({ name, inbound_nodes: calls }) => calls.map((reads) => ({ name, reads })));
  for (;;) {
    const left = waiting.filter(({ name, reads }) => {
      if (!reads.every(isThere)) return true;
      if (reads.length > 0) made.set(name, made.get(name)! + 1);
      return false;
    });
    if (left.length === 0) return undefined;
    if (left.length === waiting.length) {
      const { name, reads } = left[0]!;
      const [layer, call] = reads.find((one) => !isThere(one))!;
      return `layer ${name} reads call ${call} of layer ${layer}, which is never made`;
    }
    waiting = left;
  }
}
