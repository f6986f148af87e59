import type { Analysis } from '../graph/analyze.ts';
import { biasOf, contractionOf, seesParts, windowOf, worksOnUnitsAlone } from '../graph/contraction.ts';
import type { TracedLayer, TracedValue, TracedWeight } from '../graph/trace.ts';

/** A layer that reads what another one makes, once it has gone through some in between. */
export interface Reader {
  readonly layer: TracedLayer;
  readonly kernel: TracedWeight;
  readonly bias: TracedWeight;
  /** The layers from the other one to here, without the two. */
  readonly between: readonly TracedLayer[];
}

/** A layer that can go, and how those around it can be joined. */
export interface Joint {
  readonly layer: TracedLayer;
  /** The axis (without the batch) that its kernel reads, and how many entries it has there. */
  readonly axis: number;
  readonly width: number;
  /** The layer and those behind it that change its units one by one. */
  readonly gone: readonly TracedLayer[];
  /** The inputs of models that what it makes goes into. */
  readonly doors: readonly TracedLayer[];
  readonly readers: readonly Reader[];
}

/** How a model can do without a layer, or why not. */
export function jointAt({ trace }: Analysis, layer: TracedLayer): Joint | string {
  const kernel = contractionOf(layer);
  if (!kernel) return 'it has no kernel';
  if (layer.isPart) return 'it works inside another layer';
  if (layer.calls > 1) return 'it is called more than once';
  if (!isPointByPoint(layer, kernel)) return 'its window reads more than one position';
  const frozen = trace.classes.frozen(layer.outputs[0]!.labels.data[0]!);
  if (frozen !== undefined) return frozen;
  const { inputAxis: axis } = kernel.contracts!;
  const joint = {
    layer,
    axis,
    width: layer.inputs[0]!.labels.shape[axis]!,
    gone: [layer],
    doors: [] as TracedLayer[],
    readers: [] as Reader[],
  };
  return follow(joint, layer.outputs[0]!, []) ?? joint;
}

/** Finds who reads a value; the answer is why they can't do without it. */
function follow(
  joint: Joint & { readonly gone: TracedLayer[]; readonly doors: TracedLayer[]; readonly readers: Reader[] },
  { consumers }: TracedValue,
  between: readonly TracedLayer[],
): string | undefined {
  for (const layer of consumers) {
    const kernel = contractionOf(layer);
    if (layer.calls > 1) return `${layer.path} reads it, and is called more than once`;
    if (kernel) {
      const bias = biasOf(layer, kernel);
      if (kernel.contracts!.inputAxis !== joint.axis) return `${layer.path} reads it along another axis`;
      if (!bias) return `${layer.path} reads it, and has no bias to take a constant`;
      if (seesParts(layer, kernel)) return `${layer.path} reads zeros beside it, at the border`;
      joint.readers.push({ layer, kernel, bias, between });
      continue;
    }
    const isDoor = layer.layer.getClassName() === 'InputLayer';
    if (!isDoor && !worksOnUnitsAlone(layer)) {
      return `${layer.path} reads it: only layers of its own kind can be joined to what it reads`;
    }
    (isDoor ? joint.doors : joint.gone).push(layer);
    const reason = follow(joint, layer.outputs[0]!, isDoor ? between : [...between, layer]);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Whether a kernel makes each position of its output from that position alone. */
function isPointByPoint({ layer }: TracedLayer, kernel: TracedWeight): boolean {
  const strides = [layer.getConfig().strides ?? 1].flat();
  return [...windowOf(kernel), ...strides].every((n) => n === 1);
}
