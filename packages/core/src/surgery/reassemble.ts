import type { LayersModel } from '@tensorflow/tfjs-layers';
import { models } from '@tensorflow/tfjs-layers';
import { type Analysis, analyzeInternals } from '../graph/analyze.ts';
import { stridesOf } from '../graph/labels.ts';
import type { TracedLayer, TracedWeight } from '../graph/trace.ts';
import type { Removal } from '../plan/removal.ts';
import { settleCallOrder } from './call-order.ts';
import { carryOptimizer } from './optimizer.ts';
import { rewire, type Wiring } from './rewire.ts';
import './selection.ts';
import { keptAxes, slice, type WeightValues, writeWeight } from './weights.ts';

type Json = Record<string, unknown>;
/** Fields of tfjs-layers' models that have no public way in. */
interface CompileState {
  isOptimizerOwned: boolean;
}

/** What a model becomes. */
export interface Reassembly {
  /** Which units go. */
  readonly removal: Removal;
  readonly wiring: Wiring;
  /** The weights, with all units still on them. */
  readonly values: WeightValues;
  /** Weights that are of another shape from the start. */
  readonly remade: ReadonlyMap<TracedWeight, Remade>;
  /** Of the layers that come in, by their paths, one array for each weight. */
  readonly addedValues: ReadonlyMap<string, readonly Float32Array[]>;
}

/** A weight with values of its own; its optimizer slots start anew. */
export interface Remade {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * Takes a model apart by its JSON and puts it together anew: layers and weights keep their names, it is compiled
 * as the given one is, and the optimizer goes on where that one stands. The given model is not changed.
 *
 * @throws if one of its layers stands in two models at once.
 */
export async function reassemble(
  model: LayersModel,
  analysis: Analysis,
  change: Reassembly,
): Promise<LayersModel> {
  const double = analysis.trace.layers.find(({ paths }) => paths.length > 1);
  if (double) {
    throw new Error(
      `[core] one layer stands in two models at once, as ${double.paths.join(' and ')}: TensorFlow.js makes ` +
        'two of it when it copies or saves the model. Mask it, or give each model a layer of its own',
    );
  }
  const smaller = await rebuild(model, analysis, change);
  const layers = analyzeInternals(smaller).trace.layers;
  const twins = twinsOf(analysis, layers);
  freezeAlike(model, smaller);
  for (const [layer, twin] of twins) fillTwin(layer, twin, change);
  for (const layer of layers) {
    change.addedValues.get(layer.path)?.forEach((values, i) => {
      writeWeight(layer.weights[i]!.variable, values);
    });
  }
  if (model.optimizer) await compileAlike(model, smaller, twins, change);
  return smaller;
}

function fillTwin(layer: TracedLayer, twin: TracedLayer, { removal, values, remade }: Reassembly): void {
  restoreInitializers(layer, twin);
  completeConfig(layer, twin, removal);
  layer.weights.forEach((weight, i) => {
    const { variable, shape } = twin.weights[i]!;
    variable.trainable = weight.variable.trainable;
    const made = remade.get(weight);
    const kept = keptAxes(weight, removal);
    checkShape(layer, weight, shape, made?.shape ?? weight.shape.map((n, a) => kept[a]?.length ?? n));
    writeWeight(variable, made?.values ?? slice(values.get(weight)!, weight.shape, kept));
  });
}

/** @throws if a layer did not become what its rule says of its weights. */
function checkShape(
  { path, layer }: TracedLayer,
  { name }: TracedWeight,
  found: readonly number[],
  wanted: readonly number[],
): void {
  if (wanted.join() === found.join()) return;
  throw new Error(
    `[core] ${path}/${name} should have become [${wanted}], but the smaller layer's is [${found}]: the rule for ` +
      `${layer.getClassName()} must say how its config changes with its units`,
  );
}

/** The same model by its JSON, with the fields changed that the rules name. */
async function rebuild(
  model: LayersModel,
  { trace }: Analysis,
  { removal, wiring }: Reassembly,
): Promise<LayersModel> {
  const kept = (labels: Int32Array) => removal.kept(labels);
  const byPath = new Map(trace.layers.map((layer) => [layer.path, layer]));

  const editContainer = (config: Json, prefix: string): void => {
    settleCallOrder(config);
    for (const entry of config.layers as Json[]) {
      const layerConfig = entry.config as Json;
      const path = prefix + String(layerConfig.name);
      if (Array.isArray(layerConfig.layers)) {
        editContainer(layerConfig, `${path}/`);
        continue;
      }
      const layer = byPath.get(path);
      if (!layer || wiring.gone.has(path)) continue;
      for (const [field, value] of Object.entries(layer.config?.(kept) ?? {})) {
        layerConfig[snakeCase(field)] = value;
      }
      entry.class_name = layer.className?.(kept) ?? entry.class_name;
      if (Array.isArray(layerConfig.batch_input_shape)) {
        layerConfig.batch_input_shape = keptShape(layer, layerConfig.batch_input_shape, kept);
      }
      // all weights are written anyway, and drawing them would cost more than all the rest
      for (const field of Object.keys(layerConfig)) {
        if (field.endsWith('_initializer')) layerConfig[field] = { class_name: 'Zeros', config: {} };
      }
    }
    rewire(config, prefix, wiring);
  };

  const topology = model.toJSON(null, false) as unknown as Json;
  editContainer(topology.config as Json, '');
  return models.modelFromJSON({ modelTopology: topology } as unknown as Parameters<
    typeof models.modelFromJSON
  >[0]);
}

/** The input shape of an inner model's first layer, which may read units from outside. */
function keptShape(
  layer: TracedLayer,
  shape: readonly unknown[],
  kept: (labels: Int32Array) => number[],
): unknown[] {
  const { dims, data } = layer.inputs[0]!.labels;
  const [strides, staying] = [stridesOf(dims), kept(data)];
  return shape.map((n, a) => {
    const length = dims[a - 1];
    if (length === undefined || length === 1) return n;
    return new Set(staying.map((position) => Math.floor(position / strides[a - 1]!) % length)).size;
  });
}

/** The smaller model's layers by those of the given one. */
function twinsOf({ trace }: Analysis, layers: readonly TracedLayer[]): [TracedLayer, TracedLayer][] {
  const byPath = new Map(layers.map((layer) => [layer.path, layer]));
  return trace.layers.flatMap((layer): [TracedLayer, TracedLayer][] => {
    const twin = byPath.get(layer.path);
    // some layers went, and the hidden input layer of a Sequential model is named anew
    return twin ? [[layer, twin]] : [];
  });
}

/** What is frozen stays so: tfjs-layers keeps it in the config of layers, not of models. */
function freezeAlike(model: LayersModel, smaller: LayersModel): void {
  for (const layer of model.layers) {
    const twin = smaller.layers.find(({ name }) => name === layer.name);
    if (isModel(layer) && twin) freezeAlike(layer, twin as unknown as LayersModel);
  }
  if (!model.trainable) smaller.trainable = false;
}

const isModel = (layer: unknown): layer is LayersModel => 'nodesByDepth' in (layer as object);

function restoreInitializers({ layer }: TracedLayer, { layer: twin }: TracedLayer): void {
  const [from, to] = [layer, twin] as unknown as [Json, Json];
  for (const field of Object.keys(from)) if (field.endsWith('Initializer')) to[field] = from[field];
}

/** Some layers (SeparableConv2D) leave out of their config what they can't be loaded without. */
function completeConfig({ config }: TracedLayer, { layer: twin }: TracedLayer, removal: Removal): void {
  const told = twin.getConfig();
  const needed = Object.entries(config?.((labels) => removal.kept(labels)) ?? {});
  const missing = Object.fromEntries(needed.filter(([field]) => told[field] === undefined));
  if (Object.keys(missing).length === 0) return;
  const tell = twin.getConfig.bind(twin);
  twin.getConfig = () => ({ ...tell(), ...(missing as typeof told) });
}

async function compileAlike(
  model: LayersModel,
  smaller: LayersModel,
  twins: readonly (readonly [TracedLayer, TracedLayer])[],
  { removal, remade }: Reassembly,
): Promise<void> {
  const slotOf = new Map(model.trainableWeights.map(({ id }, slot) => [id, slot]));
  const weightOf = new Map(
    twins.flatMap(([layer, twin]) =>
      layer.weights.map((weight, i) => [twin.weights[i]!.variable.id, weight] as const),
    ),
  );
  const optimizer = await carryOptimizer(
    model.optimizer,
    smaller.trainableWeights.map(({ id, name }) => {
      const weight = weightOf.get(id);
      return weight && !remade.has(weight)
        ? { name, weight, slot: slotOf.get(weight.variable.id)! }
        : undefined;
    }),
    removal,
  );
  smaller.compile({ optimizer, loss: model.loss, metrics: model.metrics });
  const owned = (model as unknown as CompileState).isOptimizerOwned;
  (smaller as unknown as CompileState).isOptimizerOwned = owned;
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
