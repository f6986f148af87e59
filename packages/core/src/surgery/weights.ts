import type { Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import type { AnalyzedGroup } from '../graph/analyze.ts';
import { constantPlaceOf } from '../graph/contraction.ts';
import { product, stridesOf } from '../graph/labels.ts';
import type { Trace, TracedLayer, TracedWeight } from '../graph/trace.ts';
import { Removal } from '../plan/removal.ts';
import type { Fold, Plan, Refit } from '../plan/types.ts';
import { kernelRows } from './kernel-rows.ts';

/** Values of a model's weights, on their way from one model to another. */
export type WeightValues = Map<TracedWeight, Float32Array | Int32Array>;

export async function readWeights(layers: readonly TracedLayer[]): Promise<WeightValues> {
  const values: WeightValues = new Map();
  for (const weight of layers.flatMap((layer) => layer.weights)) {
    const data = await weight.variable.read().data();
    // a copy: some backends hand out their own memory
    values.set(weight, data instanceof Int32Array ? Int32Array.from(data) : Float32Array.from(data));
  }
  return values;
}

/** Past the layer's constraint, which could change what was cut. */
export function writeWeight(variable: LayerVariable, values: Float32Array | Int32Array): void {
  tf.tidy(() => {
    (variable.read() as Variable).assign(tf.tensor(values, variable.shape as number[], variable.dtype));
  });
}

/**
 * Carries out a plan's folds and refits on the consumers' kernels and biases, in place. A kernel that reads nothing more
 * of what goes was refitted before, and is not refitted again.
 *
 * @param removal what goes by the plan
 * @param masked what the model was masked by, if it was
 */
export function compensate(
  removal: Removal,
  plan: Pick<Plan, 'folds' | 'refits'>,
  masked: Pick<Plan, 'groups'> | undefined,
  values: WeightValues,
): void {
  const { analysis } = removal;
  for (const fold of plan.folds) {
    applyFold(analysis.trace, analysis.byId.get(fold.group)!, fold, values);
  }
  const before = new Removal(analysis, masked?.groups ?? []);
  const lost = (plan.refits ?? []).filter((refit) => {
    const { kernel } = kernelOf(analysis.trace, refit);
    return readsSome(kernel, values, (label) => removal.isGone(label) && !before.isGone(label));
  });
  for (const refit of lost) applyRefit(analysis.trace, refit, values);
}

/** Whether a kernel has a weight other than 0 at some of the labels that it reads. */
function readsSome(kernel: TracedWeight, values: WeightValues, isOne: (label: number) => boolean): boolean {
  const data = values.get(kernel)!;
  return kernel.axes.some(
    (axis, a) =>
      axis?.role === 'reads' &&
      axis.labels.some((label, entry) => {
        let reads = false;
        const look = (offset: number) => {
          reads ||= data[offset] !== 0;
        };
        if (isOne(label)) forEachOffset(kernel.shape, a, entry, look);
        return reads;
      }),
  );
}

/** The kernel that a fold or a refit is about. */
function kernelOf(
  { byPath }: Trace,
  { layer: path, weight }: Pick<Refit, 'layer' | 'weight'>,
): { layer: TracedLayer; kernel: TracedWeight } {
  const layer = byPath.get(path)!;
  return { layer, kernel: layer.weights.find(({ name }) => name === weight)! };
}

/** Adds to a kernel, and where a constant goes behind it, what a refit says. */
export function applyRefit(trace: Trace, refit: Refit, values: WeightValues): void {
  const { layer, kernel } = kernelOf(trace, refit);
  const { width, offsetOf } = kernelRows(kernel);
  const data = values.get(kernel)!;
  refit.entries.forEach((entry, i) => {
    for (let column = 0; column < width; column++) {
      data[offsetOf(entry, column)]! += refit.kernel[i * width + column]!;
    }
  });
  const place = refit.bias && constantPlaceOf(trace, layer, kernel)!;
  refit.bias?.forEach((change, output) => {
    values.get(place!.weight)![output]! += place!.sign * change;
  });
}

function applyFold(trace: Trace, group: AnalyzedGroup, fold: Fold, values: WeightValues): void {
  const { layer, kernel } = kernelOf(trace, fold);
  const member = group.members.find(
    ({ layer: path, weight, role }) => path === fold.layer && weight === fold.weight && role === 'reads',
  )!;
  const entriesOf = entriesByUnit(member.entries, member.units, group.size);
  const data = values.get(kernel)!;
  const makesAxis = kernel.axes.findIndex((axis) => axis?.role === 'makes');
  const stride = stridesOf(kernel.shape);
  const place = constantPlaceOf(trace, layer, kernel);
  const placeData = place && values.get(place.weight);
  const outOf = (offset: number) => Math.floor(offset / stride[makesAxis]!) % kernel.shape[makesAxis]!;

  for (const { unit, into, constants } of fold.units) {
    entriesOf[unit]!.forEach((entry, i) => {
      const targets = into.map(([target, factor]) => ({ entry: entriesOf[target]![i]!, factor }));
      forEachOffset(kernel.shape, member.axis, entry, (offset) => {
        const value = data[offset]!;
        for (const target of targets) {
          data[offset + (target.entry - entry) * stride[member.axis]!]! += target.factor * value;
        }
        if (placeData && constants) placeData[outOf(offset)]! += place.sign * constants[i]! * value;
      });
    });
  }
}

/** Sets to zero what consumers read of the units that are gone. */
export function zeroReads(
  layers: readonly TracedLayer[],
  removal: Removal,
  values: WeightValues,
): Set<TracedWeight> {
  const touched = new Set<TracedWeight>();
  for (const weight of layers.flatMap((layer) => layer.weights)) {
    weight.axes.forEach((axis, a) => {
      if (axis?.role !== 'reads') return;
      axis.labels.forEach((label, entry) => {
        if (!removal.isGone(label)) return;
        touched.add(weight);
        const data = values.get(weight)!;
        forEachOffset(weight.shape, a, entry, (offset) => {
          data[offset] = 0;
        });
      });
    });
  }
  return touched;
}

/** The entries of a weight whose units stay, along all of its axes at once. */
export function slice<T extends Float32Array | Int32Array>(
  data: T,
  shape: readonly number[],
  kept: readonly (readonly number[] | null)[],
): T {
  if (kept.every((indices) => indices === null)) return data;
  const stride = stridesOf(shape);
  const axes = shape.map((n, a) => kept[a] ?? Array.from({ length: n }, (_, i) => i));
  const offsets = axes.map((indices, a) => Int32Array.from(indices, (index) => index * stride[a]!));
  const result = data.slice(
    0,
    offsets.reduce((total, { length }) => total * length, 1),
  ) as T;
  const inner = offsets.at(-1)!;
  let to = 0;
  const copy = (axis: number, from: number): void => {
    if (axis === offsets.length - 1) {
      for (let i = 0; i < inner.length; i++) result[to++] = data[from + inner[i]!]!;
      return;
    }
    for (const offset of offsets[axis]!) copy(axis + 1, from + offset);
  };
  copy(0, 0);
  return result;
}

/** The kept indices of each axis of a weight; null where all stay. */
export function keptAxes(weight: TracedWeight, removal: Removal): (number[] | null)[] {
  return weight.axes.map((axis, a) => {
    if (!axis) return null;
    const kept = removal.kept(axis.labels);
    return kept.length === weight.shape[a] ? null : kept;
  });
}

/** For each unit its entries on an axis, ascending. */
export function entriesByUnit(entries: Int32Array, units: Int32Array, size: number): number[][] {
  const byUnit = Array.from({ length: size }, (): number[] => []);
  entries.forEach((entry, i) => {
    byUnit[units[i]!]!.push(entry);
  });
  return byUnit;
}

function forEachOffset(
  shape: readonly number[],
  axis: number,
  entry: number,
  visit: (offset: number) => void,
): void {
  const inner = product(shape.slice(axis + 1));
  const outer = product(shape.slice(0, axis));
  for (let o = 0; o < outer; o++) {
    const start = (o * shape[axis]! + entry) * inner;
    for (let i = 0; i < inner; i++) visit(start + i);
  }
}
