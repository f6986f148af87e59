import { biasOf, contractionOf, isLinear, seesParts, worksOnUnitsAlone } from './contraction.ts';
import { FIXED } from './labels.ts';
import type { Trace, TracedLayer, TracedValue, TracedWeight } from './trace.ts';

/** A sum of branches of which some pass nothing but a constant on. */
export interface LighterSum {
  readonly layer: TracedLayer;
  /** The numbers of its inputs that are constants. */
  readonly lost: readonly number[];
  /** Whether one input is left, so that there is nothing to add. */
  readonly collapses: boolean;
  /** Whether the constants can be anything but zero. */
  readonly hasConstant: boolean;
  /** A vector that is added to what is left anyway, and can take the constant. */
  readonly place: TracedWeight | undefined;
}

/** What a model can do without once some groups have no unit left. */
export interface Emptied {
  readonly gone: ReadonlySet<TracedLayer>;
  readonly sums: readonly LighterSum[];
}

/**
 * What a value is: `gone` has no unit left; what reads only that passes a `constant` on, the same at all positions
 * (`zero` if it adds no bias).
 */
type State = 'there' | 'gone' | 'zero' | 'constant';

/**
 * Follows what is left of the units through the model: the branches that read none of them any more end in sums,
 * which can do without. The answer is the reason if the model can't.
 */
export function emptied(trace: Trace, isGone: (label: number) => boolean): Emptied | string {
  const states = new Map<TracedValue, State>();
  const stateOf = (value: TracedValue): State =>
    value.labels.data.every((label) => label !== FIXED && isGone(label))
      ? 'gone'
      : (states.get(value) ?? 'there');
  const lost = new Map<TracedLayer, readonly number[]>();
  for (const layer of trace.layers) {
    // the last check finds shared layers that can't do without one of their inputs
    if (layer.calls > 1 || layer.outputs.length !== 1) continue;
    const inputs = layer.inputs.map(stateOf);
    const state = pass(layer, inputs);
    if (state) states.set(layer.outputs[0]!, state);
    if (state === 'there') {
      lost.set(
        layer,
        [...inputs.keys()].filter((i) => inputs[i] !== 'there'),
      );
    }
  }
  const left = reached(trace, lost);
  const reason = whyNot(trace, left, lost, stateOf);
  if (reason !== undefined) return reason;
  const sums = [...lost].flatMap(([layer, numbers]): LighterSum[] => {
    if (!left.has(layer)) return [];
    const hasConstant = numbers.some((i) => stateOf(layer.inputs[i]!) === 'constant');
    return [
      {
        layer,
        lost: numbers,
        collapses: layer.inputs.length - numbers.length === 1,
        hasConstant,
        place: hasConstant ? placeIn(trace, layer, numbers, left) : undefined,
      },
    ];
  });
  const collapsed = new Set(sums.flatMap(({ layer, collapses }) => (collapses ? [layer] : [])));
  return { gone: new Set(trace.layers.filter((one) => !left.has(one) || collapsed.has(one))), sums };
}

/** What a layer makes of inputs that aren't all there: a sum may do without them. Undefined where it can't say. */
function pass(layer: TracedLayer, inputs: readonly State[]): State | undefined {
  if (inputs.every((state) => state === 'there')) return undefined;
  const kernel = contractionOf(layer);
  if (kernel) {
    if (inputs[0] === 'constant') return seesParts(layer, kernel) ? undefined : 'constant';
    return isLinear(layer) && !biasOf(layer, kernel) ? 'zero' : 'constant';
  }
  if (inputs.includes('gone')) return undefined;
  if (worksOnUnitsAlone(layer)) return 'constant';
  if (!layer.rule?.sum || !fits(layer, inputs)) return undefined;
  if (inputs.includes('there')) return 'there';
  return inputs.every((state) => state === 'zero') ? 'zero' : 'constant';
}

/** Whether what is left of a sum, and what it loses, have its shape. */
function fits({ inputs, outputs }: TracedLayer, states: readonly State[]): boolean {
  const shape = String(outputs[0]!.labels.shape);
  const hasShape = inputs.map(({ labels }) => String(labels.shape) === shape);
  const staying = hasShape.filter((_, i) => states[i] === 'there');
  return (
    hasShape.every((same, i) => same || states[i] === 'there') &&
    (staying.length === 0 || staying.includes(true))
  );
}

/** The layers that the model's outputs come from, without what sums lose. */
function reached(
  { outputs, layers }: Trace,
  lost: ReadonlyMap<TracedLayer, readonly number[]>,
): Set<TracedLayer> {
  const found = new Set<TracedLayer>();
  const waiting = [...outputs];
  for (let value = waiting.pop(); value; value = waiting.pop()) {
    const layer = value.producer;
    if (!layer || found.has(layer)) continue;
    found.add(layer);
    waiting.push(...layer.inputs.filter((_, i) => !lost.get(layer)?.includes(i)));
    for (const { path } of layer.parts) {
      for (const part of layers) if (part.path === path || part.path.startsWith(`${path}/`)) found.add(part);
    }
  }
  return found;
}

function whyNot(
  { layers, outputs }: Trace,
  left: ReadonlySet<TracedLayer>,
  lost: ReadonlyMap<TracedLayer, readonly number[]>,
  stateOf: (value: TracedValue) => State,
): string | undefined {
  if (outputs.some((value) => stateOf(value) !== 'there'))
    return 'nothing else makes what the model puts out';
  for (const layer of left) {
    const reads = layer.inputs.some(
      (value, i) => stateOf(value) !== 'there' && !lost.get(layer)?.includes(i),
    );
    if (reads) return `${layer.path} can't do without it`;
  }
  for (const { path, layer } of layers.filter((one) => !left.has(one))) {
    const model = path.slice(0, path.lastIndexOf('/') + 1);
    if (layer.getClassName() !== 'InputLayer') continue;
    if ([...left].some((one) => one.path.startsWith(model))) return `nothing else reads the input ${path}`;
  }
  return undefined;
}

/** Looks behind a sum, past further sums, for a vector that is added to what only this sum reads. */
function placeIn(
  { classes, outputs }: Trace,
  sum: TracedLayer,
  lost: readonly number[],
  left: ReadonlySet<TracedLayer>,
): TracedWeight | undefined {
  const { labels } = sum.inputs[lost[0]!]!;
  const find = (value: TracedValue, reader: TracedLayer): TracedWeight | undefined => {
    const { producer, consumers } = value;
    const readers = consumers.filter((layer) => left.has(layer));
    if (!producer || !left.has(producer) || producer.calls > 1) return undefined;
    if (readers.length !== 1 || readers[0] !== reader) return undefined;
    if (outputs.includes(value) || String(value.labels.shape) !== String(labels.shape)) return undefined;
    if (producer.rule?.sum) return first(producer.inputs, producer);
    const weight = producer.weights.find(({ name }) => name === producer.adds);
    const units = weight?.shape.length === 1 ? weight.axes[0]?.labels : undefined;
    const same = units?.every((label, i) => classes.find(label) === classes.find(labels.data[i]!));
    return same && weight?.variable.trainable ? weight : undefined;
  };
  const first = (values: readonly TracedValue[], reader: TracedLayer): TracedWeight | undefined => {
    for (const value of values) {
      const found = find(value, reader);
      if (found) return found;
    }
    return undefined;
  };
  return first(
    sum.inputs.filter((_, i) => !lost.includes(i)),
    sum,
  );
}
