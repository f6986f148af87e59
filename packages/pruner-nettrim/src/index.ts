import type { LayerProblem, LayerSolution, WeightSolver } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { type Program, sparsest } from './sparsest.ts';

/** What {@link netTrim} takes. */
export interface NetTrimArgs {
  /**
   * How far a layer's outputs may be from what they were, as a share of their norm, above 0 and below 1: the larger, the
   * more weights go. Default 0.1.
   */
  readonly epsilon?: number;
  /**
   * `parallel` (default): each layer is solved by what it read in the unpruned model. `cascade`: by what the pruned layers
   * before it leave; no output is then further off than the layer allows.
   */
  readonly form?: 'parallel' | 'cascade';
  /**
   * In cascade, how many times as far off as the old weights are on the new inputs a layer may be: at least 1.
   * Default 1.05, the root of the authors' 1.1.
   */
  readonly gamma?: number;
  /** The most patterns that a layer is solved by: more than it has inputs. Default 2000. */
  readonly patterns?: number;
  /**
   * Whether the weights that are left are fitted anew to what the layer put out, each layer still by what it reads: an absolute
   * sum shrinks what it keeps. Default true; false leaves the program's own solution.
   */
  readonly refit?: boolean;
  /** The most rounds of the search, and of the refit. Default 200. */
  readonly iterations?: number;
  /** The search ends before that once its residuals are at most this share. Default 1e-3. */
  readonly tolerance?: number;
}

/**
 * Net-Trim: for each layer the sparsest weights, by their absolute sum, that leave its outputs what they were. With X the
 * patterns that it reads (and a 1 for the bias, which costs nothing), Y = relu(X W) what it put out, and Ω where Y > 0,
 *
 *     minimize |U|₁  subject to  |(X U - Y)_Ω| ≤ ε,  (X U)_{not Ω} ≤ V
 *
 * (Aghasi, Abdi, Nguyen, Romberg 2017, programs 5 and 9; norms are Frobenius'), with ε = `epsilon` |Y|. In parallel V is 0. In
 * cascade X is what the pruned layers leave, V = max(0, X W), and ε at least `gamma` |(X W - Y)_Ω|, so that the old weights
 * always keep the bounds. Where no relu follows, Ω is everything: the softmax layer keeps its sums. A convolution is a
 * layer of as many patterns as it has places.
 *
 * The weights that are left are then fitted anew by least squares, with the same V (`refit`).
 *
 * Solved by ADMM (see `sparsest`), all units of a layer at once: the cost of a round is that of two passes of the
 * patterns through the layer, and of a product with a matrix as large as the inputs (or patterns) squared.
 *
 * @throws if an argument makes no sense.
 */
export const netTrim = ({
  epsilon = 0.1,
  form = 'parallel',
  gamma = Math.sqrt(1.1),
  patterns = 2000,
  refit = true,
  iterations = 200,
  tolerance = 1e-3,
}: NetTrimArgs = {}): WeightSolver => {
  check('epsilon', epsilon, epsilon > 0 && epsilon < 1, 'above 0 and below 1');
  check('form', form, form === 'parallel' || form === 'cascade', "'parallel' or 'cascade'");
  check('gamma', gamma, gamma >= 1 && Number.isFinite(gamma), 'at least 1');
  check('patterns', patterns, Number.isInteger(patterns) && patterns > 0, 'a whole number above 0');
  check('iterations', iterations, Number.isInteger(iterations) && iterations > 0, 'a whole number above 0');
  check('tolerance', tolerance, tolerance > 0 && tolerance < 1, 'above 0 and below 1');
  return {
    name: 'nettrim',
    form,
    patterns,
    async solve(problem) {
      const level = await levelOf(problem);
      const program = await programOf(problem, level, epsilon, gamma);
      const { inputs, targets, active, ceiling, price, start } = program;
      try {
        const weights = await sparsest(program, { iterations, tolerance, refit });
        return solutionOf(problem, level, weights);
      } finally {
        tf.dispose([inputs, targets, active, ceiling, price, start]);
      }
    },
  };
};

/** What stands for the 1 of a bias: as much as inputs are in the root of the mean square, for the search to be free of their scale. */
async function levelOf({ inputs }: LayerProblem): Promise<number> {
  const root = tf.tidy(() => tf.sqrt(tf.mean(tf.square(inputs))));
  const [level] = await root.data();
  root.dispose();
  return level! > 0 ? level! : 1;
}

/** The program of one layer: a bias is one more input, always `level`. */
async function programOf(
  problem: LayerProblem,
  level: number,
  epsilon: number,
  gamma: number,
): Promise<Program> {
  const { kernel, bias, sums, rectified } = problem;
  const { norms, ...tensors } = tf.tidy(() => {
    const inputs = withRow(problem.inputs, bias && tf.fill([problem.inputs.shape[0], 1], level), 1);
    const start = withRow(kernel, bias && tf.expandDims(tf.div(bias, level), 0), 0);
    const price = withRow(tf.ones([kernel.shape[0], 1]), bias && tf.zeros([1, 1]), 0);
    const active = rectified ? tf.greater<tf.Tensor2D>(sums, 0) : tf.ones<tf.Rank.R2>(sums.shape, 'bool');
    const targets = tf.where<tf.Tensor2D>(active, sums, 0);
    const old = tf.matMul<tf.Tensor2D>(inputs, start);
    const off = tf.where(active, tf.sub(old, targets), 0);
    // in parallel the old sums are at most 0 where nothing is active
    const ceiling = tf.relu(old);
    return {
      inputs,
      start,
      price,
      active,
      targets,
      ceiling,
      norms: tf.stack([tf.norm(targets), tf.norm(off)]),
    };
  });
  const [size, off] = (await norms.data()) as unknown as [number, number];
  norms.dispose();
  return { ...tensors, epsilon: Math.max(epsilon * size, gamma * off) };
}

const withRow = (matrix: tf.Tensor2D, row: tf.Tensor | undefined, axis: 0 | 1): tf.Tensor2D =>
  row ? tf.concat2d([matrix, row as tf.Tensor2D], axis) : matrix.clone();

/** The weights are disposed. */
function solutionOf({ kernel, bias }: LayerProblem, level: number, weights: tf.Tensor2D): LayerSolution {
  if (!bias) return { kernel: weights };
  const [inputs, outputs] = kernel.shape;
  const solution = tf.tidy(() => {
    const parts = tf.split<tf.Tensor2D>(weights, [inputs, 1], 0);
    return { kernel: parts[0]!, bias: tf.mul<tf.Tensor1D>(level, tf.reshape(parts[1]!, [outputs])) };
  });
  weights.dispose();
  return solution;
}

function check(name: string, given: unknown, right: boolean, wanted: string): void {
  if (!right) throw new Error(`[pruner-nettrim] ${name} must be ${wanted}, got ${JSON.stringify(given)}`);
}
