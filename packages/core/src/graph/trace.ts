import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { along, makeFeatures, tie, tieToBox, unify, unifyCalls } from './call.ts';
import { LabelClasses } from './classes.ts';
import { fixed, type Labels } from './labels.ts';
import { type InnerLayer, type Layer, type LayerCall, type LayerLabels, ruleFor } from './rule.ts';
import './rules/index.ts';
import { recordCall, type TracedLayer, type TracedValue, tracedLayer } from './traced.ts';

export type { TracedLayer, TracedValue, TracedWeight } from './traced.ts';

/** The parts of tfjs-layers' graph that tracing reads. */
interface GraphNode {
  readonly outboundLayer: Layer;
  readonly inputTensors: readonly SymbolicTensor[];
  readonly outputTensors: readonly SymbolicTensor[];
}
type ContainerLayer = LayersModel & {
  readonly nodesByDepth: Readonly<Record<string, readonly GraphNode[]>>;
};

/** One call of a layer. */
export interface TracedCall {
  readonly layer: TracedLayer;
  readonly inputs: readonly TracedValue[];
  readonly outputs: readonly TracedValue[];
}

export interface Trace {
  readonly layers: readonly TracedLayer[];
  /** The same by their paths. */
  readonly byPath: ReadonlyMap<string, TracedLayer>;
  /** In the order in which data flow. */
  readonly calls: readonly TracedCall[];
  readonly classes: LabelClasses;
  /** What the model puts out. */
  readonly outputs: readonly TracedValue[];
}

type Shapes = readonly (readonly number[])[];

const withoutBatch = (shape: readonly (number | null)[]): number[] => shape.slice(1).map((n) => n ?? 1);
const shapesOf = (tensors: readonly SymbolicTensor[]): number[][] =>
  tensors.map(({ shape }) => withoutBatch(shape));
const isContainer = (layer: Layer): layer is ContainerLayer & Layer => 'nodesByDepth' in layer;

/** Lets labels flow through the model. */
export function trace(model: LayersModel): Trace {
  const tracer = new Tracer(built(model as ContainerLayer));
  return tracer.trace();
}

class Tracer {
  readonly #root: ContainerLayer;
  readonly #classes = new LabelClasses();
  readonly #layers = new Map<Layer, TracedLayer>();
  readonly #pathsOf = new Map<Layer, string[]>();
  readonly #calls: TracedCall[] = [];
  /** How many layers around the present one call each other. */
  #callers = 0;
  /** What can be said only once all labels are tied. */
  readonly #later: (() => void)[] = [];

  constructor(root: ContainerLayer) {
    this.#root = root;
    this.#addPaths(root, '');
  }

  trace(): Trace {
    const inputs = shapesOf(this.#root.inputs).map(
      (shape): TracedValue => ({ labels: fixed(shape), producer: undefined, consumers: [] }),
    );
    const outputs = this.#container(this.#root, inputs, '', 1);
    for (const { labels } of outputs) {
      this.#classes.freeze(labels.data, 'the model puts it out');
    }
    for (const say of this.#later) say();
    this.#classes.settle();
    const layers = [...this.#layers.values()];
    const byPath = new Map(layers.map((layer) => [layer.path, layer]));
    return { layers, byPath, calls: this.#calls, classes: this.#classes, outputs };
  }

  #container(
    container: ContainerLayer,
    inputs: readonly TracedValue[],
    prefix: string,
    times: number,
  ): TracedValue[] {
    const values = new Map(container.inputs.map((tensor, i) => [tensor.id, inputs[i]!]));
    const depths = Object.keys(container.nodesByDepth).map(Number);
    for (const depth of depths.sort((a, b) => b - a)) {
      for (const node of container.nodesByDepth[depth]!) {
        const layer = node.outboundLayer;
        const ins = (node.inputTensors.length > 0 ? node.inputTensors : node.outputTensors).map(
          (tensor) => values.get(tensor.id)!,
        );
        const outs = isContainer(layer)
          ? this.#container(built(layer), ins, `${prefix}${layer.name}/`, times)
          : this.#call(this.#layer(layer, prefix), ins, shapesOf(node.outputTensors), times);
        node.outputTensors.forEach((tensor, i) => {
          values.set(tensor.id, outs[i]!);
        });
      }
    }
    return container.outputs.map((tensor) => values.get(tensor.id)!);
  }

  /**
   * Where each layer stands in the lists of layers of the models around it. The graph would not tell: a Sequential
   * model takes the layers of a model that comes first in it for its own.
   */
  #addPaths(container: ContainerLayer, prefix: string): void {
    for (const layer of container.layers) {
      const path = prefix + layer.name;
      if (isContainer(layer)) this.#addPaths(layer, `${path}/`);
      else {
        const paths = this.#pathsOf.get(layer) ?? [];
        this.#pathsOf.set(layer, paths.includes(path) ? paths : [...paths, path]);
      }
    }
  }

  #layer(layer: Layer, prefix: string): TracedLayer {
    const paths = this.#pathsOf.get(layer);
    if (paths) return this.#layerAt(layer, paths);
    // the hidden input layer of a Sequential model stands in no list
    return this.#layers.get(layer) ?? this.#layerAt(layer, [prefix + layer.name]);
  }

  #layerAt(layer: Layer, paths: readonly string[]): TracedLayer {
    const known = this.#layers.get(layer);
    if (known) {
      known.paths.push(...paths.filter((path) => !known.paths.includes(path)));
      return known;
    }
    const place = { paths: [...paths], index: this.#layers.size, isPart: this.#callers > 0 };
    const traced = tracedLayer(layer, ruleFor(layer.getClassName()), place);
    this.#layers.set(layer, traced);
    return traced;
  }

  #call(
    traced: TracedLayer,
    ins: readonly TracedValue[],
    outputShapes: Shapes,
    times: number,
  ): TracedValue[] {
    traced.calls++;
    for (const value of ins) value.consumers.push(traced);
    const answer = traced.rule
      ? traced.rule.trace(this.#callOf(traced, ins, outputShapes, times))
      : this.#unknown(traced, ins, outputShapes);
    recordCall(this.#classes, traced, answer, { outputs: outputShapes.length, times });
    const outs = answer.outputs.map((labels): TracedValue => ({ labels, producer: traced, consumers: [] }));
    if (traced.calls > 1 && answer.config) {
      // one config serves all calls, so what it is cut by must be the same for each
      const earlier = traced.outputs.map(({ labels }) => labels);
      unifyCalls({ classes: this.#classes, path: traced.path }, earlier, answer.outputs);
    }
    traced.inputs.push(...ins);
    traced.outputs.push(...outs);
    this.#calls.push({ layer: traced, inputs: ins, outputs: outs });
    return outs;
  }

  /** What a rule is given. */
  #callOf(traced: TracedLayer, ins: readonly TracedValue[], outputShapes: Shapes, times: number): LayerCall {
    const classes = this.#classes;
    const caller = { classes, path: traced.path };
    return {
      layer: traced.layer,
      config: traced.layer.getConfig(),
      inputs: ins.map(({ labels }) => labels),
      outputShapes,
      make(count) {
        traced.made ??= classes.make(count, traced.index);
        return traced.made;
      },
      makeFeatures(labels) {
        const features = makeFeatures(caller, traced.index, labels, traced.made);
        traced.made = features.data;
        return features;
      },
      along: (labels, axis) => along(caller, labels, axis),
      tie: (labels, axis) => tie(caller, labels, axis),
      keepBox: (labels, axis) => this.#later.push(() => tieToBox(caller, labels, axis)),
      unify: (a, b) => unify(caller, a, b),
      freeze: (labels, reason) => classes.freeze(labels.data, reason),
      markInexact: (labels, reason) => classes.markInexact(labels.data, reason),
      inner: (part, inputs, shapes) => this.#inner(traced, part, inputs, shapes, times),
    };
  }

  #inner(
    outer: TracedLayer,
    { layer, name, at, times = 1 }: InnerLayer,
    inputs: readonly Labels[],
    outputShapes: Shapes,
    outerTimes: number,
  ): readonly Labels[] {
    const path = `${outer.path}/${name}`;
    if (!outer.parts.some((part) => part.path === path)) outer.parts.push({ path, layer, at });
    const ins = inputs.map((labels): TracedValue => ({ labels, producer: undefined, consumers: [] }));
    const calls = outerTimes * times;
    this.#callers++;
    if (isContainer(layer)) this.#addPaths(layer, `${path}/`);
    const outs = isContainer(layer)
      ? this.#container(built(layer), ins, `${path}/`, calls)
      : this.#call(this.#layerAt(layer, [path]), ins, outputShapes, calls);
    this.#callers--;
    return outs.map(({ labels }) => labels);
  }

  #unknown({ layer, path }: TracedLayer, ins: readonly TracedValue[], outputShapes: Shapes): LayerLabels {
    const className = layer.getClassName();
    for (const { labels } of ins) {
      this.#classes.freeze(
        labels.data,
        `${path} reads it, and there is no rule for ${className} layers: registerLayer('${className}', ...) adds one`,
      );
    }
    return { outputs: outputShapes.map(fixed) };
  }
}

/** A Sequential model makes its graph only when it is first used. */
function built(container: ContainerLayer): ContainerLayer {
  if (Object.keys(container.nodesByDepth).length === 0) container.build(container.inputs[0]!.shape);
  return container;
}
