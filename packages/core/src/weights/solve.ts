import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Trace, TracedWeight } from '../graph/trace.ts';
import type { CalibrationData } from '../plan/data.ts';
import type { Removal } from '../plan/removal.ts';
import { type WeightValues, writeWeight, zeroReads } from '../surgery/weights.ts';
import { patternsOf } from './patterns.ts';
import { isRectified } from './rectified.ts';
import type { LayerProblem, LayerSolution, WeightSolver } from './weight-pruner.ts';
import { type LinearLayer, matrixOf } from './windows.ts';

/** Some layers of a model's, in their order. */
export interface SolvedLayers {
  readonly trace: Trace;
  readonly layers: readonly LinearLayer[];
  /** The units that were masked: no layer reads them afterwards either. */
  readonly masked: Removal;
}

/** Asks a solver for new weights of one layer after the other. The model ends as it began. */
export async function solved(
  model: LayersModel,
  solver: WeightSolver,
  { trace, layers, masked }: SolvedLayers,
  data: CalibrationData,
  values: WeightValues,
): Promise<WeightValues> {
  const found: WeightValues = new Map();
  for (const linear of layers) {
    const read = readInputs(linear, masked);
    const patterns = async () => onlyRead(await patternsOf(model, linear, data, solver.patterns), read);
    const original = await patterns();
    const changed = solver.form === 'cascade' && found.size > 0;
    const inputs = changed ? await withWeights(found, values, patterns) : original;
    const rectified = isRectified(linear.layer, trace);
    const problem = { ...problemOf(linear, original, inputs), rectified };
    try {
      const solution = await solver.solve(problem);
      await keepSolution(solver, linear, solution, found);
      zeroReads([linear.layer], masked, found);
    } finally {
      const { kernel, bias, sums } = problem;
      tf.dispose([original, inputs, kernel, sums, ...(bias ? [bias] : [])]);
    }
  }
  return found;
}

/** For each input of a layer 1, or 0 where it is of a unit that was masked. */
function readInputs({ layer, kernel }: LinearLayer, masked: Removal): Float32Array {
  const [inputs, outputs] = matrixOf(kernel);
  const ones = new Float32Array(inputs * outputs).fill(1);
  zeroReads([layer], masked, new Map([[kernel, ones]]));
  return Float32Array.from({ length: inputs }, (_, input) => ones[input * outputs]!);
}

/** The patterns with zeros for inputs that are not read. They are disposed. */
function onlyRead(patterns: tf.Tensor2D, read: Float32Array): tf.Tensor2D {
  const seen = tf.tidy(() => tf.mul<tf.Tensor2D>(patterns, read));
  patterns.dispose();
  return seen;
}

/** Runs something with other weights in the model. */
async function withWeights<T>(others: WeightValues, values: WeightValues, run: () => Promise<T>): Promise<T> {
  for (const [{ variable }, data] of others) writeWeight(variable, data);
  try {
    return await run();
  } finally {
    for (const weight of others.keys()) writeWeight(weight.variable, values.get(weight)!);
  }
}

const problemOf = (
  linear: LinearLayer,
  original: tf.Tensor2D,
  inputs: tf.Tensor2D,
): Omit<LayerProblem, 'rectified'> => {
  const { layer, kernel: weight, bias: added } = linear;
  const kernel = tf.tidy(() => tf.reshape(weight.variable.read(), matrixOf(weight)) as tf.Tensor2D);
  const bias = added && (added.variable.read().clone() as tf.Tensor1D);
  const sums = tf.tidy(() => {
    const product = tf.matMul<tf.Tensor2D>(original, kernel);
    return bias ? tf.add<tf.Tensor2D>(product, bias) : product;
  });
  return { layer: layer.path, kernel, ...(bias && { bias }), inputs, sums };
};

async function keepSolution(
  solver: WeightSolver,
  { layer, kernel, bias }: LinearLayer,
  solution: LayerSolution,
  found: WeightValues,
): Promise<void> {
  const keep = async (weight: TracedWeight, shape: readonly number[], given: tf.Tensor) => {
    const data = Float32Array.from(await given.data());
    if (given.shape.join() === shape.join() && data.every(Number.isFinite)) {
      found.set(weight, data);
      return;
    }
    throw new Error(
      `[core] ${solver.name} must answer with finite numbers of shape [${shape}] for ${layer.path}/${weight.name}, got ` +
        `[${given.shape}]`,
    );
  };
  try {
    await keep(kernel, matrixOf(kernel), solution.kernel);
    if (bias && solution.bias) await keep(bias, bias.shape, solution.bias);
  } finally {
    tf.dispose([solution.kernel, ...(solution.bias ? [solution.bias] : [])]);
  }
}
