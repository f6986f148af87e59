import type { LayersModel } from '@tensorflow/tfjs-layers';
import { models } from '@tensorflow/tfjs-layers';
import { type Analysis, analyzeInternals } from '../graph/analyze.ts';
import { stridesOf } from '../graph/labels.ts';
import type { TracedLayer, TracedWeight } from '../graph/trace.ts';
import { checkPlan, type Removal } from '../plan/removal.ts';
import type { Plan } from '../plan/types.ts';
import { settleCallOrder } from './call-order.ts';
import { heldPlan } from './mask.ts';
import { carryOptimizer } from './optimizer.ts';
import './selection.ts';
import { applyFolds, keptAxes, readWeights, slice, writeWeight } from './weights.ts';

type Json = Record<string, unknown>;
/** Fields of tfjs-layers' models that have no public way in. */
interface CompileState {
  isOptimizerOwned: boolean;
}

/**
 * Makes the smaller model that a plan describes: new tensors, the same layer and weight names, compiled as
 * the given one is, its optimizer going on where that one stands. The given model is not changed. Without
 * a plan it removes what was masked before.
 *
 * The new model is plain TensorFlow.js: it saves and loads without Espalier, but for a `FeatureSelection`
 * layer if single features of a flattened map were removed.
 *
 * @throws if the plan is for another model or makes no sense for it, or there is none.
 */
export async function shrink(model: LayersModel, given?: Plan): Promise<LayersModel> {
  const analysis = analyzeInternals(model);
  const plan = given ?? (await heldPlan(model, analysis));
  if (plan === undefined) {
    throw new Error(
      '[core] shrink needs a plan: nothing was masked in this model. Make one by plan(model, ...)',
    );
  }
  const removal = checkPlan(model, analysis, plan);
  const double = analysis.trace.layers.find(({ paths }) => paths.length > 1);
  if (double) {
    throw new Error(
      `[core] one layer stands in two models at once, as ${double.paths.join(' and ')}: TensorFlow.js makes ` +
        'two of it when it copies or saves the model. Mask it, or give each model a layer of its own',
    );
  }
  const values = await readWeights(analysis.trace.layers);
  applyFolds(analysis, plan, values);

  const smaller = await rebuild(model, analysis, removal);
  const twins = twinsOf(analysis, smaller);
  freezeAlike(model, smaller);
  for (const [layer, twin] of twins) {
    restoreInitializers(layer, twin);
    completeConfig(layer, twin, removal);
    layer.weights.forEach((weight, i) => {
      twin.weights[i]!.variable.trainable = weight.variable.trainable;
      const kept = keptAxes(weight, removal);
      checkShape(layer, weight, twin.weights[i]!, kept);
      writeWeight(twin.weights[i]!.variable, slice(values.get(weight)!, weight.shape, kept));
    });
  }
  if (model.optimizer) await compileAlike(model, smaller, twins, removal);
  return smaller;
}

/** @throws if a layer did not become what its rule says of its weights. */
function checkShape(
  { path, layer }: TracedLayer,
  { name, shape }: TracedWeight,
  twin: TracedWeight,
  kept: readonly (readonly number[] | null)[],
): void {
  const wanted = shape.map((n, a) => kept[a]?.length ?? n);
  if (wanted.join() === twin.shape.join()) return;
  throw new Error(
    `[core] ${path}/${name} should have become [${wanted}], but the smaller layer's is [${twin.shape}]: the rule for ` +
      `${layer.getClassName()} must say how its config changes with its units`,
  );
}

/** The same model by its JSON, with the fields changed that the rules name. */
async function rebuild(model: LayersModel, { trace }: Analysis, removal: Removal): Promise<LayersModel> {
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
      if (!layer) continue;
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
function twinsOf(analysis: Analysis, smaller: LayersModel): [TracedLayer, TracedLayer][] {
  const byPath = new Map(analyzeInternals(smaller).trace.layers.map((layer) => [layer.path, layer]));
  return analysis.trace.layers.flatMap((layer): [TracedLayer, TracedLayer][] => {
    const twin = byPath.get(layer.path);
    // the hidden input layer of a Sequential model is named anew
    return twin ? [[layer, twin]] : [];
  });
}

/** What is frozen stays so: tfjs-layers keeps it in the config of layers, not of models. */
function freezeAlike(model: LayersModel, smaller: LayersModel): void {
  for (const layer of model.layers) {
    if (isModel(layer)) freezeAlike(layer, smaller.getLayer(layer.name) as unknown as LayersModel);
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
  removal: Removal,
): Promise<void> {
  const weights = new Map(
    twins.flatMap(([layer, twin]) =>
      layer.weights.map((weight, i) => [
        weight.variable.id,
        { weight, name: twin.weights[i]!.variable.name },
      ]),
    ),
  );
  const trained = model.trainableWeights.map((variable) => weights.get(variable.id)!);
  const optimizer = await carryOptimizer(
    model.optimizer,
    trained.map(({ weight }) => weight),
    trained.map(({ name }) => name),
    removal,
  );
  smaller.compile({ optimizer, loss: model.loss, metrics: model.metrics });
  const owned = (model as unknown as CompileState).isOptimizerOwned;
  (smaller as unknown as CompileState).isOptimizerOwned = owned;
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
