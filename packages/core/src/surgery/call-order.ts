type Json = Record<string, unknown>;
/** [layer, which of its calls, which of that call's outputs, arguments]. */
type Reference = [layer: string, call: number, ...rest: unknown[]];

interface LayerEntry {
  readonly name: string;
  readonly class_name: string;
  readonly config: Json;
  inbound_nodes: Reference[][];
}

/**
 * Numbers the calls of shared layers, in a functional model's JSON, in the order in which TensorFlow.js will
 * make them. It makes each as soon as its inputs are there, but takes them for made in the order of the JSON,
 * and so mixes them up without a word if a layer was first called on what comes later.
 */
export function settleCallOrder(config: Json): void {
  const layers = config.layers as LayerEntry[];
  if (!layers.some(({ inbound_nodes: calls }) => calls?.length > 1)) return;
  // with a new order some calls may be made earlier, and others after them
  while (!reorder(config, layers, callsAsMade(layers)));
}

/** An input, and a model by itself, have a call of their own before all others. */
const firstCall = ({ class_name: kind, config }: LayerEntry): number => {
  if (Array.isArray(config.layers)) return 1;
  return kind === 'InputLayer' ? 1 : 0;
};

/** For each layer the calls of the JSON in the order in which they are made. */
function callsAsMade(layers: readonly LayerEntry[]): Map<string, number[]> {
  const made = new Map(layers.map(({ name }) => [name, [] as number[]]));
  const first = new Map(layers.map((layer) => [layer.name, firstCall(layer)]));
  const isThere = ([layer, call]: Reference) => {
    const own = first.get(layer)!;
    return call < own || made.get(layer)!.includes(call - own);
  };
  for (let progress = true; progress; ) {
    progress = false;
    for (const { name, inbound_nodes: calls } of layers) {
      const done = made.get(name)!;
      calls.forEach((references, call) => {
        if (done.includes(call) || !references.every(isThere)) return;
        done.push(call);
        progress = true;
      });
    }
  }
  return made;
}

/** Whether all was in order. */
function reorder(config: Json, layers: LayerEntry[], made: ReadonlyMap<string, readonly number[]>): boolean {
  const moved = layers.filter(({ name }) => made.get(name)!.some((call, i) => call !== i));
  if (moved.length === 0) return true;
  for (const layer of moved) {
    const [order, own] = [made.get(layer.name)!, firstCall(layer)];
    layer.inbound_nodes = order.map((call) => layer.inbound_nodes[call]!);
    const references = [
      ...layers.flatMap(({ inbound_nodes: calls }) => calls.flat()),
      ...[config.input_layers, config.output_layers].flatMap((list) => list as Reference[]),
    ];
    for (const reference of references) {
      if (reference[0] === layer.name && reference[1] >= own) {
        reference[1] = own + order.indexOf(reference[1] - own);
      }
    }
  }
  return false;
}
