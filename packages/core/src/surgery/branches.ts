import * as tf from '@tensorflow/tfjs-core';
import { biasOf, contractionOf } from '../graph/contraction.ts';
import type { LighterSum } from '../graph/emptied.ts';
import { stridesOf } from '../graph/labels.ts';
import type { TracedLayer, TracedValue, TracedWeight } from '../graph/trace.ts';
import type { Removal } from '../plan/removal.ts';
import { BIAS_CLASS } from './channel-bias.ts';
import type { Reassembly } from './reassemble.ts';
import type { AddedLayer } from './rewire.ts';
import { readWeights, slice, type WeightValues, writeWeight } from './weights.ts';

/**
 * How a model is put together without the branches that went whole. The constants that they still add are put into
 * `values` where a vector can take them, else into layers that come in for it.
 */
export async function withoutBranches(
  removal: Removal,
  values: WeightValues,
): Promise<Pick<Reassembly, 'wiring' | 'addedValues'>> {
  const { gone, sums } = removal.emptied;
  const names = new Set(removal.analysis.trace.layers.map(({ layer }) => layer.name));
  const added: AddedLayer[] = [];
  const addedValues = new Map<string, Float32Array[]>();
  for (const sum of sums) {
    if (!sum.hasConstant) continue;
    const constant = await constantOf(sum, removal, values);
    if (sum.place) {
      addTo(values.get(sum.place)!, constant);
      continue;
    }
    const { layer, className, path } = biasBehind(sum, names);
    added.push({
      after: sum.layer.path,
      name: layer,
      className,
      config: { axis: axisOf(sum.layer.inputs[sum.lost[0]!]!) + 1 },
    });
    const kept = removal.kept(sum.layer.inputs[sum.lost[0]!]!.labels.data);
    addedValues.set(path, [slice(constant, [constant.length], [kept])]);
  }
  const wiring = {
    gone: new Set([...gone].map(({ path }) => path)),
    cuts: new Map(sums.map(({ layer, lost }) => [layer.path, lost])),
    added,
    inputs: new Map(),
  };
  return { wiring, addedValues };
}

/** A name that no layer has yet, beside the sum's. */
function biasBehind({ layer: { layer, path } }: LighterSum, names: Set<string>) {
  let name = `${layer.name}_bias`;
  while (names.has(name)) name += '_';
  names.add(name);
  return { layer: name, className: BIAS_CLASS, path: path.slice(0, -layer.name.length) + name };
}

function addTo(target: Float32Array | Int32Array, vector: Float32Array): void {
  vector.forEach((value, i) => {
    target[i]! += value;
  });
}

/** What the lost branches of a sum add to each unit. */
async function constantOf(
  { layer, lost }: LighterSum,
  removal: Removal,
  values: WeightValues,
): Promise<Float32Array> {
  return total(await Promise.all(lost.map((i) => pass(layer.inputs[i]!, removal, values))));
}

function total(vectors: readonly Float32Array[]): Float32Array {
  const [first, ...others] = vectors;
  for (const other of others) addTo(first!, other);
  return first!;
}

/** What a value that is a constant is for each unit. */
async function pass(value: TracedValue, removal: Removal, values: WeightValues): Promise<Float32Array> {
  const layer = value.producer!;
  const kernel = contractionOf(layer);
  if (kernel) return passKernel(layer, kernel, removal, values);
  const inputs = await Promise.all(layer.inputs.map((input) => pass(input, removal, values)));
  if (layer.rule?.sum) return total(inputs);
  const work = (x: tf.Tensor) => layer.layer.apply(x, { training: false }) as tf.Tensor;
  return withValues(layer, values, () => through(value, inputs[0]!, work));
}

/** Lends a layer the weights that it will have: its own may have taken means over. */
async function withValues<T>(layer: TracedLayer, values: WeightValues, work: () => Promise<T>): Promise<T> {
  const own = await readWeights([layer]);
  const lend = (lent: WeightValues) => {
    for (const weight of layer.weights) writeWeight(weight.variable, lent.get(weight)!);
  };
  lend(values);
  try {
    return await work();
  } finally {
    lend(own);
  }
}

async function passKernel(
  layer: TracedLayer,
  kernel: TracedWeight,
  removal: Removal,
  values: WeightValues,
): Promise<Float32Array> {
  const [reads, makes] = (['reads', 'makes'] as const).map((role) =>
    kernel.axes.findIndex((axis) => axis?.role === role),
  ) as [number, number];
  const bias = biasOf(layer, kernel);
  const made = Float64Array.from(bias ? values.get(bias)! : new Float32Array(kernel.shape[makes]!));
  const staying = new Set(removal.kept(kernel.axes[reads]!.labels));
  if (staying.size > 0) {
    const read = await pass(layer.inputs[0]!, removal, values);
    const strides = stridesOf(kernel.shape);
    values.get(kernel)!.forEach((value, offset) => {
      const entry = Math.floor(offset / strides[reads]!) % kernel.shape[reads]!;
      if (!staying.has(entry)) return;
      made[Math.floor(offset / strides[makes]!) % made.length]! += read[entry]! * value;
    });
  }
  const { activation } = layer.layer as { readonly activation?: { apply(x: tf.Tensor): tf.Tensor } | null };
  return through(layer.outputs[0]!, Float32Array.from(made), (x) => activation?.apply(x) ?? x.clone());
}

/** A vector of units at one position, through a function of tensors. */
async function through(
  value: TracedValue,
  vector: Float32Array,
  work: (x: tf.Tensor) => tf.Tensor,
): Promise<Float32Array> {
  const axis = axisOf(value);
  const shape = [1, ...value.labels.shape.map((_, a) => (a === axis ? vector.length : 1))];
  const made = tf.tidy(() => work(tf.tensor(vector, shape)));
  const data = Float32Array.from(await made.data());
  made.dispose();
  return data;
}

/** The axis (without the batch) of the units, as the kernel that ends their part of the branch has it. */
function axisOf({ producer }: TracedValue): number {
  const kernel = contractionOf(producer!);
  return kernel ? kernel.contracts!.inputAxis : axisOf(producer!.inputs[0]!);
}
