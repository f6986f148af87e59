import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layers as kinds, models } from '@tensorflow/tfjs-layers';
import { type Analysis, analyzeInternals } from '../graph/analyze.ts';
import { keptLengths } from '../graph/labels.ts';
import type { Layer } from '../graph/rule.ts';
import type { Trace, TracedLayer, TracedWeight } from '../graph/trace.ts';
import type { Removal } from '../plan/removal.ts';
import { isSparse, markSparse } from '../weights/sparsity.ts';
import { settleCallOrder } from './call-order.ts';
import { carryConstraint } from './constraints.ts';
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
 * as the given one is, carries its metadata, and the optimizer goes on where that one stands. The given model is not
 * changed.
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
  try {
    await fill(smaller, model, analysis, change);
  } catch (error) {
    smaller.dispose();
    throw error;
  }
  const metadata = model.getUserDefinedMetadata();
  if (metadata) smaller.setUserDefinedMetadata({ ...metadata });
  return smaller;
}

/** Gives the new model its weights, and compiles it. */
async function fill(
  smaller: LayersModel,
  model: LayersModel,
  analysis: Analysis,
  change: Reassembly,
): Promise<void> {
  const { layers, byPath } = analyzeInternals(smaller).trace;
  const twins = twinsOf(analysis, byPath);
  freezeAlike(model, smaller);
  for (const [layer, twin] of twins) fillTwin(layer, twin, change);
  for (const layer of layers) {
    change.addedValues.get(layer.path)?.forEach((values, i) => {
      writeWeight(layer.weights[i]!.variable, values);
    });
  }
  if (model.optimizer) await compileAlike(model, smaller, twins, change);
}

function fillTwin(layer: TracedLayer, twin: TracedLayer, { removal, values, remade }: Reassembly): void {
  restoreFields(layer.layer, twin.layer);
  completeConfig(layer, twin, removal);
  layer.weights.forEach((weight, i) => {
    const { variable, shape } = twin.weights[i]!;
    variable.trainable = weight.variable.trainable;
    const made = remade.get(weight);
    const kept = keptAxes(weight, removal);
    checkShape(layer, weight, shape, made?.shape ?? weight.shape.map((n, a) => kept[a]?.length ?? n));
    writeWeight(variable, made?.values ?? slice(values.get(weight)!, weight.shape, kept));
    carryConstraint(weight.variable, twin.layer, variable);
    if (isSparse(weight.variable)) markSparse(variable);
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

  const editContainer = (config: Json, prefix: string): void => {
    settleCallOrder(config);
    for (const entry of config.layers as Json[]) {
      editEntry(entry, prefix + String((entry.config as Json).name));
    }
  };
  const editEntry = (entry: Json, path: string): void => {
    const config = entry.config as Json;
    const layer = trace.byPath.get(path);
    if (Array.isArray(config.layers)) editContainer(config, `${path}/`);
    if (!layer || wiring.gone.has(path)) return;
    for (const [field, value] of Object.entries(layer.config?.(kept) ?? {})) config[snakeCase(field)] = value;
    entry.class_name = layer.className?.(kept) ?? entry.class_name;
    if (Array.isArray(config.batch_input_shape)) {
      config.batch_input_shape = keptShape(layer, config.batch_input_shape, kept);
    }
    // all weights are written anyway, and drawing them would cost more than all the rest
    for (const field of Object.keys(config)) {
      if (field.endsWith('_initializer')) config[field] = { class_name: 'Zeros', config: {} };
    }
    for (const { at, path: inner } of layer.parts) {
      editEntry(
        at.reduce<Json>((holder, key) => holder[key] as Json, config),
        inner,
      );
    }
  };

  const topology = model.toJSON(null, false) as unknown as Json;
  editContainer(topology.config as Json, '');
  rewire(topology.config as Json, wiring);
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
  const { labels } = layer.inputs[0]!;
  const lengths = keptLengths(labels, kept(labels.data));
  // unknown dimensions stay so
  return shape.map((n, a) => (a > 0 && labels.dims[a - 1]! > 1 ? lengths[a - 1] : n));
}

/** The smaller model's layers by those of the given one. */
function twinsOf({ trace }: Analysis, byPath: Trace['byPath']): [TracedLayer, TracedLayer][] {
  return trace.layers.flatMap((layer): [TracedLayer, TracedLayer][] => {
    const twin = byPath.get(layer.path);
    // some layers went, and the hidden input layer of a Sequential model is named anew
    return twin ? [[layer, twin]] : [];
  });
}

/** What is frozen stays so: tfjs-layers keeps it in the config of layers, not of models. */
function freezeAlike(model: LayersModel, smaller: LayersModel): void {
  for (const layer of model.layers) {
    if (!isModel(layer)) continue;
    const twin = smaller.layers.find(({ name }) => name === layer.name);
    if (twin) freezeAlike(layer, twin as unknown as LayersModel);
  }
  if (!model.trainable) smaller.trainable = false;
}

const isModel = (layer: unknown): layer is LayersModel => 'nodesByDepth' in (layer as object);

/** What its JSON could not tell a layer, or was not to: in its own fields and in those of the layers in it. */
function restoreFields(layer: Layer, twin: Layer): void {
  if (twin.trainable !== layer.trainable) twin.trainable = layer.trainable;
  const [from, to] = [layer, twin] as unknown as [Json, Json];
  for (const [field, value] of Object.entries(from)) {
    if (/(Initializer|Constraint|Regularizer)$/.test(field)) to[field] = value;
    const twins = [to[field]].flat();
    [value].flat().forEach((inner, i) => {
      if (inner instanceof kinds.Layer && twins[i] instanceof kinds.Layer) restoreFields(inner, twins[i]);
    });
  }
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
    smaller.trainableWeights.map(({ id, name, shape }) => {
      const weight = weightOf.get(id);
      return weight && !remade.has(weight)
        ? { name, weight, slot: slotOf.get(weight.variable.id)! }
        : { name, shape: shape as number[] };
    }),
    removal,
  );
  smaller.compile({ optimizer, loss: model.loss, metrics: model.metrics });
  const owned = (model as unknown as CompileState).isOptimizerOwned;
  (smaller as unknown as CompileState).isOptimizerOwned = owned;
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
