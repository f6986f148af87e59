import { FIXED } from './labels.ts';
import type { Trace, TracedCall, TracedLayer, TracedValue, TracedWeight } from './trace.ts';

/** Where the units of a model end. */
export interface Ends {
  /** What the model puts out, and what layers read of which labels don't tell what becomes (no rule, attention's scores). */
  readonly values: ReadonlySet<TracedValue>;
  /** The kernels that make these values' units: no other kernel is behind them. */
  readonly kernels: ReadonlySet<TracedWeight>;
}

export function endsOf(trace: Trace): Ends {
  const values = new Set(trace.outputs);
  // and what becomes one of them without a kernel
  const ending = new Set(trace.outputs);
  const kernels = new Set<TracedWeight>();
  for (const call of outermost(trace).reverse()) {
    for (const input of lostInputs(trace, call)) {
      values.add(input);
      ending.add(input);
    }
    if (!call.outputs.some((output) => ending.has(output))) continue;
    const own = withParts(trace, call.layer).flatMap(({ weights }) => weights.filter(isKernel));
    if (own.length === 0) for (const input of call.inputs) ending.add(input);
    const made = new Set(call.outputs.flatMap(({ labels }) => rootsOf(trace, labels.data)));
    for (const kernel of own) {
      const hasMade = (role: 'reads' | 'makes') =>
        rootsOf(trace, labelsOn(kernel, role)).some((root) => made.has(root));
      // a recurrent kernel reads what it makes
      if (hasMade('makes') && !hasMade('reads')) kernels.add(kernel);
    }
  }
  return { values, kernels };
}

/** The calls in the order in which data flow, without those that a layer makes. */
export const outermost = ({ calls }: Trace): TracedCall[] => calls.filter(({ layer }) => !layer.isPart);

/** A layer behind those that it calls. */
export function withParts({ layers }: Trace, layer: TracedLayer): readonly TracedLayer[] {
  if (layer.parts.length === 0) return [layer];
  return [...layers.filter(({ path, isPart }) => isPart && path.startsWith(`${layer.path}/`)), layer];
}

/** Whether a weight sums units up, into others. */
export const isKernel = ({ axes }: TracedWeight): boolean =>
  (['reads', 'makes'] as const).every((role) => axes.some((axis) => axis?.role === role));

/** The labels on a kernel's axis. */
export const labelsOn = ({ axes }: TracedWeight, role: 'reads' | 'makes'): Int32Array =>
  axes.find((axis) => axis?.role === role)!.labels;

/** The classes of labels, each once. */
export const rootsOf = ({ classes }: Trace, labels: Int32Array): number[] => [
  ...new Set(Array.from(labels).flatMap((label) => (label === FIXED ? [] : [classes.find(label)]))),
];

/** Inputs with units of which nothing is seen again behind the call. */
function lostInputs(trace: Trace, { layer, inputs, outputs }: TracedCall): TracedValue[] {
  const kernels = withParts(trace, layer).flatMap(({ weights }) => weights.filter(isKernel));
  const seen = [...outputs.map(({ labels }) => labels.data), ...kernels.map((one) => labelsOn(one, 'reads'))];
  const known = new Set<number>();
  for (const labels of seen) {
    for (const root of rootsOf(trace, labels)) {
      for (let up = root; up !== FIXED; up = trace.classes.parentOf(up)) known.add(up);
    }
  }
  return inputs.filter(({ labels }) => {
    const roots = rootsOf(trace, labels.data);
    return roots.length > 0 && !roots.some((root) => known.has(root));
  });
}
