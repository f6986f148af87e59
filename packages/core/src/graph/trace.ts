import type { LayersModel, LayerVariable, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { LabelClasses } from './classes.ts';
import { expand, FIXED, fixed, type Labels, spread } from './labels.ts';
import { type Layer, type LayerLabels, type LayerRule, ruleFor, type WeightAxis } from './rule.ts';
import './rules/index.ts';

/** The parts of tfjs-layers' graph that tracing reads. */
interface GraphNode {
  readonly outboundLayer: Layer;
  readonly inputTensors: readonly SymbolicTensor[];
  readonly outputTensors: readonly SymbolicTensor[];
}
type ContainerLayer = LayersModel & {
  readonly nodesByDepth: Readonly<Record<string, readonly GraphNode[]>>;
};

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
  readonly contracts?: { readonly inputAxis: number; readonly bias?: string };
}

/** A layer with everything that its rule said of it. */
export interface TracedLayer {
  /** The layer's name, after those of the models around it: `encoder/conv1`. */
  readonly path: string;
  /** All its paths: a layer object may stand in several models at once. */
  readonly paths: readonly string[];
  readonly index: number;
  readonly layer: Layer;
  readonly rule: LayerRule | undefined;
  readonly weights: TracedWeight[];
  readonly inputs: TracedValue[];
  readonly outputs: TracedValue[];
  calls: number;
  config: NonNullable<LayerLabels['config']> | undefined;
  className: NonNullable<LayerLabels['className']> | undefined;
  made: Int32Array | undefined;
}

export interface Trace {
  readonly layers: readonly TracedLayer[];
  readonly classes: LabelClasses;
}

const withoutBatch = (shape: readonly (number | null)[]): number[] => shape.slice(1).map((n) => n ?? 1);
const shapesOf = (tensors: readonly SymbolicTensor[]): number[][] =>
  tensors.map(({ shape }) => withoutBatch(shape));
const isContainer = (layer: Layer): layer is ContainerLayer & Layer => 'nodesByDepth' in layer;

/** Lets labels flow through the model. */
export function trace(model: LayersModel): Trace {
  const classes = new LabelClasses();
  const layers = new Map<Layer, TracedLayer>();

  const root = built(model as ContainerLayer);
  const pathsOf = pathsIn(root);

  const tracedLayer = (layer: Layer, prefix: string): TracedLayer => {
    const known = layers.get(layer);
    if (known) return known;
    // the hidden input layer of a Sequential model stands in no list
    const paths = pathsOf.get(layer) ?? [prefix + layer.name];
    const traced: TracedLayer = {
      path: paths[0]!,
      paths,
      index: layers.size,
      layer,
      rule: ruleFor(layer.getClassName()),
      weights: [],
      inputs: [],
      outputs: [],
      calls: 0,
      config: undefined,
      className: undefined,
      made: undefined,
    };
    layers.set(layer, traced);
    return traced;
  };

  const traceContainer = (
    container: ContainerLayer,
    inputs: readonly TracedValue[],
    prefix: string,
  ): TracedValue[] => {
    const values = new Map<number, TracedValue>();
    container.inputs.forEach((tensor, i) => {
      values.set(tensor.id, inputs[i]!);
    });
    const depths = Object.keys(container.nodesByDepth).map(Number);
    for (const depth of depths.sort((a, b) => b - a)) {
      for (const node of container.nodesByDepth[depth]!) {
        const layer = node.outboundLayer;
        const ins = (node.inputTensors.length > 0 ? node.inputTensors : node.outputTensors).map(
          (tensor) => values.get(tensor.id)!,
        );
        const outs = isContainer(layer)
          ? traceContainer(built(layer), ins, `${prefix}${layer.name}/`)
          : traceCall(tracedLayer(layer, prefix), ins, shapesOf(node.outputTensors));
        node.outputTensors.forEach((tensor, i) => {
          values.set(tensor.id, outs[i]!);
        });
      }
    }
    return container.outputs.map((tensor) => values.get(tensor.id)!);
  };

  const traceCall = (
    traced: TracedLayer,
    ins: readonly TracedValue[],
    outputShapes: readonly (readonly number[])[],
  ): TracedValue[] => {
    const { layer, rule } = traced;
    traced.calls++;
    for (const value of ins) value.consumers.push(traced);
    const answer = rule
      ? rule.trace({
          layer,
          config: layer.getConfig(),
          inputs: ins.map(({ labels }) => labels),
          outputShapes,
          make: (count) => {
            traced.made ??= classes.make(count, traced.index);
            return traced.made;
          },
          makeFeatures: (labels) => makeFeatures(classes, traced, labels),
          along: (labels, axis) => along(classes, traced, labels, axis),
          unify: (a, b) => unify(classes, traced, a, b),
          freeze: (labels, reason) => classes.freeze(labels.data, reason),
          markInexact: (labels, reason) => classes.markInexact(labels.data, reason),
        })
      : unknownLayer(classes, traced, ins, outputShapes);
    checkAnswer(traced, answer, outputShapes.length);
    traced.config = answer.config;
    traced.className = answer.className;
    recordWeights(classes, traced, answer);
    const outs = answer.outputs.map((labels): TracedValue => ({ labels, producer: traced, consumers: [] }));
    if (traced.calls > 1 && answer.config) {
      // one config serves all calls, so what it is cut by must be the same for each
      outs.forEach(({ labels }, i) => {
        const dims = labels.shape;
        unify(classes, traced, expand(traced.outputs[i]!.labels, dims).data, expand(labels, dims).data);
      });
    }
    traced.inputs.push(...ins);
    traced.outputs.push(...outs);
    return outs;
  };

  const inputs = shapesOf(root.inputs).map(
    (shape): TracedValue => ({ labels: fixed(shape), producer: undefined, consumers: [] }),
  );
  traceContainer(root, inputs, '').forEach(({ labels }) => {
    classes.freeze(labels.data, 'the model puts it out');
  });
  classes.settle();
  return { layers: [...layers.values()], classes };
}

/**
 * Where each layer stands in the lists of layers of the models around it. The graph would not tell: a Sequential
 * model takes the layers of a model that comes first in it for its own.
 */
function pathsIn(container: ContainerLayer): Map<Layer, string[]> {
  const paths = new Map<Layer, string[]>();
  const visit = (model: ContainerLayer, prefix: string): void => {
    for (const layer of model.layers) {
      const path = prefix + layer.name;
      if (isContainer(layer)) visit(layer, `${path}/`);
      else paths.set(layer, [...(paths.get(layer) ?? []), path]);
    }
  };
  visit(container, '');
  return paths;
}

/** A Sequential model makes its graph only when it is first used. */
function built(container: ContainerLayer): ContainerLayer {
  if (Object.keys(container.nodesByDepth).length === 0) container.build(container.inputs[0]!.shape);
  return container;
}

/** @throws if a rule's answer can't be right. */
function checkAnswer({ layer }: TracedLayer, answer: LayerLabels | undefined, outputs: number): void {
  if (answer?.outputs?.length === outputs) return;
  throw new Error(
    `[core] the rule for ${layer.getClassName()} must answer { outputs } with labels for ${outputs} outputs`,
  );
}

function unknownLayer(
  classes: LabelClasses,
  { layer, path }: TracedLayer,
  ins: readonly TracedValue[],
  outputShapes: readonly (readonly number[])[],
): LayerLabels {
  const className = layer.getClassName();
  for (const { labels } of ins) {
    classes.freeze(
      labels.data,
      `${path} reads it, and there is no rule for ${className} layers: registerLayer('${className}', ...) adds one`,
    );
  }
  return { outputs: outputShapes.map(fixed) };
}

function along(classes: LabelClasses, traced: TracedLayer, labels: Labels, axis: number): Int32Array {
  const at = axis < 0 ? labels.shape.length + axis : axis;
  const length = labels.shape[at]!;
  if (labels.dims.every((n, a) => n === 1 || a === at)) {
    return labels.dims[at] === length ? labels.data : new Int32Array(length).fill(labels.data[0]!);
  }
  const dims = labels.dims.map((n, a) => (a === at ? length : n));
  const { data } = expand(labels, dims);
  const inner = dims.slice(at + 1).reduce((total, n) => total * n, 1);
  const first = new Int32Array(length);
  for (let i = 0; i < length; i++) first[i] = data[i * inner]!;
  const spreadOut = expand(spread(first, labels.shape, at), dims).data;
  unify(classes, traced, spreadOut, data);
  return first;
}

function unify(classes: LabelClasses, { path }: TracedLayer, a: Int32Array, b: Int32Array): void {
  const reason = `${path} ties it to values that can't go`;
  for (let i = 0; i < a.length; i++) classes.unify(a[i]!, b[i]!, reason);
}

function makeFeatures(classes: LabelClasses, traced: TracedLayer, channels: Labels): Labels {
  if (traced.made) {
    const earlier = traced.made.map((label) => classes.parentOf(label) || label);
    unify(classes, traced, earlier, channels.data);
    return { ...channels, data: traced.made };
  }
  const positions = new Map<number, number>();
  for (const label of channels.data) positions.set(label, (positions.get(label) ?? 0) + 1);
  // a channel with one position is its own feature
  const several = [...positions].some(([label, count]) => label !== FIXED && count > 1);
  const data = Int32Array.from(channels.data);
  if (several) {
    const owned = channels.data.filter((label) => label !== FIXED);
    const features = classes.make(owned.length, traced.index, owned);
    let next = 0;
    for (let i = 0; i < data.length; i++) if (data[i] !== FIXED) data[i] = features[next++]!;
  }
  traced.made = data;
  return { ...channels, data };
}

function recordWeights(classes: LabelClasses, traced: TracedLayer, answer: LayerLabels): void {
  const names = traced.layer.weights.map(({ originalName }) => originalName.split('/').at(-1)!);
  // a rule may speak of a weight that this layer does without: a bias, a scale
  const usual = ['kernel', 'bias', 'gamma', 'beta', ...names];
  const strange = Object.keys(answer.weights ?? {}).find((name) => !usual.includes(name));
  if (strange !== undefined) {
    throw new Error(
      `[core] the rule for ${traced.layer.getClassName()} names a weight '${strange}', but ${traced.path} has ${names.join(', ') || 'none'}`,
    );
  }
  if (traced.weights.length === 0) {
    for (const variable of traced.layer.weights) {
      const name = variable.originalName.split('/').at(-1)!;
      const said = answer.weights?.[name];
      const shape = variable.shape as readonly number[];
      traced.weights.push({
        variable,
        name,
        shape,
        axes: said?.axes ?? shape.map(() => null),
        uses: said?.uses ?? 0,
        ...(said?.contracts && { contracts: said.contracts }),
      });
    }
    return;
  }
  for (const weight of traced.weights) {
    const said = answer.weights?.[weight.name];
    weight.uses += said?.uses ?? 0;
    weight.axes.forEach((axis, a) => {
      const again = said?.axes[a];
      if (axis && again) unify(classes, traced, axis.labels, again.labels);
    });
  }
}
