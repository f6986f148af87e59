import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Trace, TracedWeight } from '../graph/trace.ts';
import type { CalibrationData } from '../plan/data.ts';
import { type WeightValues, writeWeight } from '../surgery/weights.ts';
import { patternsOf } from './patterns.ts';
import { isRectified } from './rectified.ts';
import type { LayerProblem, LayerSolution, WeightSolver } from './weight-pruner.ts';
import { type LinearLayer, matrixOf } from './windows.ts';

/** Some layers of a model's, in their order. */
export interface SolvedLayers {
  readonly trace: Trace;
  readonly layers: readonly LinearLayer[];
}

/** Asks a solver for new weights of one layer after the other. The model ends as it began. */
export async function solved(
  model: LayersModel,
  solver: WeightSolver,
  { trace, layers }: SolvedLayers,
  data: CalibrationData,
  values: WeightValues,
): Promise<WeightValues> {
  const found: WeightValues = new Map();
  const patterns = (linear: LinearLayer) => patternsOf(model, linear, data, solver.patterns);
  for (const linear of layers) {
    const original = await patterns(linear);
    const changed = solver.form === 'cascade' && found.size > 0;
    const inputs = changed ? await withWeights(found, values, () => patterns(linear)) : original;
    const rectified = isRectified(linear.layer, trace);
    const problem = { ...problemOf(linear, original, inputs), rectified };
    try {
      const solution = await solver.solve(problem);
      await keepSolution(solver, linear, solution, found);
    } finally {
      const { kernel, bias, sums } = problem;
      tf.dispose([original, inputs, kernel, sums, ...(bias ? [bias] : [])]);
    }
  }
  return found;
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
