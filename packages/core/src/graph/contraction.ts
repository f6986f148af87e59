import type { Trace, TracedLayer, TracedWeight } from './trace.ts';

/** The kernel of a layer that multiplies its one input by it, adds a bias, and does no more than an activation. */
export function contractionOf({ inputs, weights, calls }: TracedLayer): TracedWeight | undefined {
  const kernel = weights.find(({ contracts }) => contracts);
  const others = weights.filter((weight) => weight !== kernel);
  const alone = inputs.length === calls && others.every(({ name }) => name === kernel?.contracts?.bias);
  return alone ? kernel : undefined;
}

/** The bias beside such a kernel, if the layer has one. */
export const biasOf = ({ weights }: TracedLayer, kernel: TracedWeight): TracedWeight | undefined =>
  weights.find(({ name }) => name === kernel.contracts!.bias);

/** A vector, one entry for each output of a kernel, and what a constant counts there. */
export interface ConstantPlace {
  readonly layer: TracedLayer;
  readonly weight: TracedWeight;
  readonly sign: 1 | -1;
}

/**
 * Where a constant can go that is added to all that a kernel makes: to the bias beside it, or off the moving mean of the
 * normalisation that alone reads a layer without a bias, as in most convolutional networks.
 */
export function constantPlaceOf(
  { classes, outputs }: Trace,
  layer: TracedLayer,
  kernel: TracedWeight,
): ConstantPlace | undefined {
  const bias = biasOf(layer, kernel);
  if (bias) return { layer, weight: bias, sign: 1 };
  const [value] = layer.outputs;
  const [reader] = value?.consumers ?? [];
  const isAlone = value?.consumers.length === 1 && !outputs.includes(value);
  if (!reader || !isAlone || layer.calls > 1 || reader.calls > 1 || !isLinear(layer)) return undefined;
  const weight = reader.weights.find(({ name }) => name === reader.takesOff);
  const made = kernel.axes.find((axis) => axis?.role === 'makes')?.labels;
  const taken = weight?.axes[0]?.labels;
  const isSame =
    made?.length === taken?.length &&
    taken?.every((label, i) => classes.find(label) === classes.find(made![i]!));
  return weight && isSame ? { layer: reader, weight, sign: -1 } : undefined;
}

/** Whether a layer with a kernel would add a bias last of all. */
export const isLinear = ({ adds }: TracedLayer): boolean => adds !== undefined;

/** The lengths of a kernel's axes that are about positions. */
export const windowOf = ({ shape, axes }: TracedWeight): number[] => shape.filter((_, a) => !axes[a]);

/**
 * Whether some of a layer's outputs see only a part of the kernel: where zeros stand around its input, and where a
 * transposed convolution's windows overlap. A constant that it reads then makes no constant.
 */
export function seesParts({ layer }: TracedLayer, kernel: TracedWeight): boolean {
  const at = (role: 'reads' | 'makes') => kernel.axes.findIndex((axis) => axis?.role === role);
  const transposed = at('makes') < at('reads');
  return (transposed || layer.getConfig().padding === 'same') && windowOf(kernel).some((n) => n > 1);
}

/** Whether a layer does to each unit the same at all positions, whatever the other units are. */
export const worksOnUnitsAlone = ({ rule, inputs, weights, calls }: TracedLayer): boolean =>
  rule?.pointwise === true &&
  inputs.length === calls &&
  weights.every(({ shape, axes }) => shape.every((n, a) => n === 1 || axes[a]));
