import type { TracedLayer, TracedWeight } from './trace.ts';

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
