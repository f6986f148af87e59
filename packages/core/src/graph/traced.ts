import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { type Caller, unify } from './call.ts';
import type { LabelClasses } from './classes.ts';
import type { Labels } from './labels.ts';
import type { Contraction, Gain, Layer, LayerLabels, LayerRule, Observation, WeightAxis } from './rule.ts';

/** An activation between two calls. */
export interface TracedValue {
  readonly labels: Labels;
  readonly producer: TracedLayer | undefined;
  readonly consumers: TracedLayer[];
}

/** A weight and whose units stand on its axes. */
export interface TracedWeight {
  readonly variable: LayerVariable;
  /** The last part of its name. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly axes: readonly (WeightAxis | null)[];
  /** Multiplications by each entry in a forward pass of one example, over all calls. */
  uses: number;
  readonly contracts?: Contraction;
}

/** A layer inside another, and where that one's config holds its class and config. */
export interface TracedPart {
  /** Of the inner layer, or of the inner model. */
  readonly path: string;
  readonly layer: Layer;
  readonly at: readonly (string | number)[];
}

/** A layer with everything that its rule said of it. */
export interface TracedLayer {
  /** The layer's name, after those of the models and layers around it: `encoder/conv1`. */
  readonly path: string;
  /** All its paths: a layer object may stand in several models at once. */
  readonly paths: string[];
  readonly index: number;
  readonly layer: Layer;
  readonly rule: LayerRule | undefined;
  /** Whether another layer calls it, by itself or in a model of its own. */
  readonly isPart: boolean;
  readonly weights: TracedWeight[];
  readonly inputs: TracedValue[];
  readonly outputs: TracedValue[];
  readonly parts: TracedPart[];
  calls: number;
  config: NonNullable<LayerLabels['config']> | undefined;
  className: NonNullable<LayerLabels['className']> | undefined;
  observed: readonly Observation[];
  adds: string | undefined;
  takesOff: string | undefined;
  scales: string | undefined;
  gain: Gain | undefined;
  made: Int32Array | undefined;
}

/** A layer that no call was seen of yet. */
export const tracedLayer = (
  layer: Layer,
  rule: LayerRule | undefined,
  { paths, index, isPart }: Pick<TracedLayer, 'paths' | 'index' | 'isPart'>,
): TracedLayer => ({
  path: paths[0]!,
  paths,
  index,
  layer,
  rule,
  isPart,
  weights: [],
  inputs: [],
  outputs: [],
  parts: [],
  calls: 0,
  config: undefined,
  className: undefined,
  observed: [],
  adds: undefined,
  takesOff: undefined,
  scales: undefined,
  gain: undefined,
  made: undefined,
});

/**
 * Writes down what a rule said of one call.
 *
 * @throws if it can't be right.
 */
export function recordCall(
  classes: LabelClasses,
  traced: TracedLayer,
  answer: LayerLabels | undefined,
  { outputs, times }: { readonly outputs: number; readonly times: number },
): asserts answer is LayerLabels {
  const className = traced.layer.getClassName();
  if (answer?.outputs?.length !== outputs) {
    throw new Error(
      `[core] the rule for ${className} must answer { outputs } with labels for ${outputs} outputs`,
    );
  }
  traced.config = answer.config;
  traced.className = answer.className;
  traced.observed = answer.observed ?? [];
  traced.adds = answer.adds;
  traced.takesOff = answer.takesOff;
  traced.scales = answer.scales;
  traced.gain = answer.gain;
  const caller = { classes, path: traced.path };
  if (traced.calls === 1) traced.weights.push(...weightsOf(traced, answer, times));
  else addCall(caller, traced, answer, times);
}

/** The weights that are not those of an inner layer. */
function weightsOf(traced: TracedLayer, { weights = {} }: LayerLabels, times: number): TracedWeight[] {
  const inner = new Set(traced.parts.flatMap(({ layer }) => layer.weights));
  const own = traced.layer.weights.filter((variable) => !inner.has(variable));
  const names = own.map(({ originalName }) => originalName.split('/').at(-1)!);
  // a rule may speak of a weight that this layer does without: a bias, a scale
  const usual = ['kernel', 'bias', 'gamma', 'beta', ...names];
  const strange = Object.keys(weights).find((name) => !usual.includes(name));
  if (strange !== undefined) {
    throw new Error(
      `[core] the rule for ${traced.layer.getClassName()} names a weight '${strange}', but ${traced.path} has ${names.join(', ') || 'none'}`,
    );
  }
  return own.map((variable, i): TracedWeight => {
    const said = weights[names[i]!];
    const shape = variable.shape as readonly number[];
    return {
      variable,
      name: names[i]!,
      shape,
      axes: said?.axes ?? shape.map(() => null),
      uses: (said?.uses ?? 0) * times,
      ...(said?.contracts && { contracts: said.contracts }),
    };
  });
}

/** A shared layer shows its weights other labels at each call: they are tied. */
function addCall(caller: Caller, traced: TracedLayer, { weights = {} }: LayerLabels, times: number): void {
  for (const weight of traced.weights) {
    const said = weights[weight.name];
    weight.uses += (said?.uses ?? 0) * times;
    weight.axes.forEach((axis, a) => {
      const again = said?.axes[a];
      if (axis && again) unify(caller, axis.labels, again.labels);
    });
  }
}
