import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Analysis, type AnalyzedGroup, analyzeInternals } from '../graph/analyze.ts';
import { contractionOf } from '../graph/contraction.ts';
import { product, stridesOf } from '../graph/labels.ts';
import type { TracedLayer, TracedWeight } from '../graph/trace.ts';
import { foldMean } from '../plan/compensation.ts';
import type { CalibrationData } from '../plan/data.ts';
import { plan } from '../plan/plan.ts';
import { Removal } from '../plan/removal.ts';
import type { Pruner } from '../pruner.ts';
import { type AffineMap, exactMap, fittedMaps } from './affine.ts';
import { type Joint, jointAt, type Reader } from './joint.ts';
import { maskedPlan } from './mask.ts';
import { type Remade, reassemble } from './reassemble.ts';
import { shrink } from './shrink.ts';
import { readWeights, type WeightValues } from './weights.ts';

/** A layer with a kernel, and whether the model can do without it. */
export interface HiddenLayer {
  /** Its name, after those of the models around it. */
  readonly layer: string;
  readonly removable: boolean;
  /** Why not. */
  readonly reason?: string;
  /** The layers that go with it, itself among them. */
  readonly goes: readonly string[];
}

/** What `removeLayer` needs. */
export interface RemoveLayerOptions {
  /** Its name, after those of the models around it, as in `removableLayers`. */
  readonly layer: string;
  /**
   * What its stand-in is fitted to. Needed where the layer, or an activation behind it, is not linear; a branch that
   * goes then leaves the means of what it added.
   */
  readonly data?: CalibrationData;
}

/**
 * Lists a model's layers that have kernels: which of them can go whole, and why the others can't.
 *
 * @throws if `model` is not a LayersModel.
 */
export function removableLayers(model: LayersModel): HiddenLayer[] {
  const analysis = analyzeInternals(model);
  return analysis.trace.layers.filter(contractionOf).map((layer) => {
    const way = wayWithout(analysis, layer);
    const gone = typeof way === 'string' ? [] : 'readers' in way ? way.gone : way.removal.emptied.gone;
    return {
      layer: layer.path,
      removable: typeof way === 'object',
      ...(typeof way === 'string' && { reason: way }),
      goes: [...gone].map(({ path }) => path),
    };
  });
}

/**
 * Makes the model without one of its hidden layers, in one of two ways.
 *
 * The layers that read it (through activations, normalisations and dropout, which go with it) read its input instead,
 * by kernels and biases that come as near as can be to what they made before: just so if the layer is linear, else
 * in the mean square over the data, position by position.
 *
 * Where that can't be, but it stands in a branch beside a sum (residual), the whole branch goes.
 *
 * The rest is as `shrink` does it: names, compilation, the optimizer's state. The given model is not changed.
 *
 * @throws if the layer is not there or can't go, or data is needed and missing.
 */
export async function removeLayer(
  model: LayersModel,
  { layer: path, data }: RemoveLayerOptions,
): Promise<LayersModel> {
  const analysis = analyzeInternals(model);
  if (maskedPlan(model)) {
    throw new Error(
      '[core] units of this model are masked: call shrink(model) first, and remove layers of that',
    );
  }
  const layer = analysis.trace.byPath.get(path);
  const way = layer ? wayWithout(analysis, layer) : 'there is none of that name';
  if (typeof way === 'string') {
    const there = removableLayers(model).flatMap((one) => (one.removable ? [one.layer] : []));
    throw new Error(
      `[core] layer '${path}' can't be removed: ${way}. Of this model can go: ${there.join(', ') || 'none'}`,
    );
  }
  return 'readers' in way ? join(model, analysis, way, data) : dropBranch(model, way, data);
}

/** A group of units, and what goes with all of them. */
interface Branch {
  readonly group: AnalyzedGroup;
  readonly removal: Removal;
}

/** How the model can do without a layer, or why not. */
function wayWithout(analysis: Analysis, layer: TracedLayer): Joint | Branch | string {
  const joint = jointAt(analysis, layer);
  if (typeof joint === 'object') return joint;
  const group = analysis.groups.find(({ producers }) => producers.includes(layer.path));
  if (!group?.prunable) return joint;
  const removal = new Removal(analysis, [{ id: group.id, remove: [...group.roots.keys()] }]);
  return removal.overdone === undefined ? { group, removal } : joint;
}

async function dropBranch(
  model: LayersModel,
  { group: { id, size } }: Branch,
  data: CalibrationData | undefined,
): Promise<LayersModel> {
  const all: Pruner = { name: 'all', score: ({ bias }) => tf.zerosLike(bias) };
  const made = await plan(model, {
    pruner: all,
    budget: { count: size },
    scope: [id],
    wholeLayers: true,
    ...(data && { data, compensation: foldMean() }),
  });
  return shrink(model, made);
}

async function join(
  model: LayersModel,
  analysis: Analysis,
  joint: Joint,
  data: CalibrationData | undefined,
): Promise<LayersModel> {
  const maps = await mapsOf(model, joint, data);
  const values = await readWeights(analysis.trace.layers);
  const remade = new Map<TracedWeight, Remade>();
  joint.readers.forEach((reader, i) => {
    remade.set(reader.kernel, joined(reader, maps[i]!, values));
  });
  const narrowed = [...joint.doors, ...joint.readers.map(({ layer }) => layer)];
  const input = { axis: joint.axis, length: joint.width };
  return reassemble(model, analysis, {
    removal: new Removal(analysis, []),
    values,
    remade,
    wiring: {
      gone: new Set(joint.gone.map(({ path }) => path)),
      cuts: new Map(),
      added: [],
      inputs: new Map(narrowed.map(({ path }) => [path, input])),
    },
    addedValues: new Map(),
  });
}

async function mapsOf(
  model: LayersModel,
  joint: Joint,
  data: CalibrationData | undefined,
): Promise<AffineMap[]> {
  const exact = await Promise.all(joint.readers.map((reader) => exactMap(joint, reader)));
  const straight = exact.filter((map) => map !== undefined);
  if (straight.length === exact.length) return straight;
  if (data) return fittedMaps(model, joint, data);
  throw new Error(
    `[core] layer '${joint.layer.path}' is not linear, so what stands in for it depends on data: give data: { x }`,
  );
}

/** The reader's kernel on the removed layer's input: A K, with c K in its bias. */
function joined({ kernel, bias }: Reader, { matrix, constant }: AffineMap, values: WeightValues): Remade {
  const axis = kernel.axes.findIndex((one) => one?.role === 'reads');
  const makes = kernel.axes.findIndex((one) => one?.role === 'makes');
  const units = constant.length;
  const width = matrix.length / units;
  const shape = kernel.shape.map((n, a) => (a === axis ? width : n));
  const [inner, outer] = [stridesOf(kernel.shape)[axis]!, stridesOf(kernel.shape)[makes]!];
  const from = values.get(kernel)!;
  const shift = new Float64Array(kernel.shape[makes]!);
  const made = new Float64Array(product(shape));
  from.forEach((value, offset) => {
    const unit = Math.floor(offset / inner) % units;
    const block = Math.floor(offset / inner / units) * width * inner + (offset % inner);
    for (let i = 0; i < width; i++) made[block + i * inner]! += matrix[i * units + unit]! * value;
    shift[Math.floor(offset / outer) % shift.length]! += constant[unit]! * value;
  });
  const biases = values.get(bias)!;
  shift.forEach((value, i) => {
    biases[i]! += value;
  });
  return { shape, values: Float32Array.from(made) };
}
