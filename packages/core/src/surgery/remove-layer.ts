import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Analysis, analyzeInternals } from '../graph/analyze.ts';
import { contractionOf } from '../graph/contraction.ts';
import { stridesOf } from '../graph/labels.ts';
import type { TracedLayer, TracedWeight } from '../graph/trace.ts';
import type { CalibrationData } from '../plan/data.ts';
import { Removal } from '../plan/removal.ts';
import { type AffineMap, exactMap, fittedMaps } from './affine.ts';
import { type Joint, jointAt, type Reader } from './joint.ts';
import { maskedPlan } from './mask.ts';
import { type Remade, reassemble } from './reassemble.ts';
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
  /** Needed where the layer, or an activation behind it, is not linear. */
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
    const joint = jointAt(analysis, layer);
    return typeof joint === 'string'
      ? { layer: layer.path, removable: false, reason: joint, goes: [] }
      : { layer: layer.path, removable: true, goes: joint.gone.map(({ path }) => path) };
  });
}

/**
 * Makes the model without one of its hidden layers. The layers that read it (through activations, normalisations
 * and dropout, which go with it) then read its input, by kernels and biases that come as near as can be to what they
 * made before: just so if the layer is linear, else in the mean square over the data, position by position. The rest
 * is as `shrink` does it: names, compilation, the optimizer's state. The given model is not changed.
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
  const joint = jointOf(model, analysis, path);
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
      gone: new Set(joint.gone.map((layer) => layer.path)),
      cuts: new Map(),
      added: [],
      inputs: new Map(narrowed.map((layer) => [layer.path, input])),
    },
    addedValues: new Map(),
  });
}

function jointOf(model: LayersModel, analysis: Analysis, path: string): Joint {
  const layer = analysis.trace.layers.find((one: TracedLayer) => one.path === path);
  const joint = layer && jointAt(analysis, layer);
  if (typeof joint === 'object') return joint;
  const there = removableLayers(model).flatMap((one) => (one.removable ? [one.layer] : []));
  throw new Error(
    `[core] layer '${path}' can't be removed: ${joint ?? 'there is none of that name'}. ` +
      `Of this model can go: ${there.join(', ') || 'none'}`,
  );
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
  const made = new Float64Array(shape.reduce((total, n) => total * n, 1));
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
