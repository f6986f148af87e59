import { solveRidge } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';

/** The least-squares problem in the middle of each round: U that is near to b and whose X U is near to a. */
export interface System {
  /** The U that minimizes |X U - a|² + |U - b|², [inputs, outputs], and X U, [patterns, outputs]. */
  solve(a: tf.Tensor2D, b: tf.Tensor2D): readonly [weights: tf.Tensor2D, sums: tf.Tensor2D];
  dispose(): void;
}

/**
 * Inverts what all rounds divide by: X'X + I, or XX' + I where there are fewer patterns than inputs (then
 * (X'X + I)⁻¹X' = X'(XX' + I)⁻¹).
 *
 * @param x shape [patterns, inputs]; it stays the caller's.
 */
export async function systemOf(x: tf.Tensor2D): Promise<System> {
  const [patterns, inputs] = x.shape;
  const byInputs = inputs <= patterns;
  const inverse = await inverted(byInputs ? tf.matMul(x, x, true) : tf.matMul(x, x, false, true));
  return {
    solve(a, b) {
      if (byInputs) {
        const weights = tf.matMul<tf.Tensor2D>(inverse, tf.add<tf.Tensor2D>(tf.matMul(x, a, true), b));
        return [weights, tf.matMul(x, weights)];
      }
      const share = tf.matMul<tf.Tensor2D>(inverse, tf.sub<tf.Tensor2D>(a, tf.matMul(x, b)));
      // X U = X b + XX' s with XX' s = a - X b - s
      return [tf.add(b, tf.matMul(x, share, true)), tf.sub(a, share)];
    },
    dispose: () => inverse.dispose(),
  };
}

/** (G + I)⁻¹, in float64; G is disposed. */
async function inverted(gram: tf.Tensor2D): Promise<tf.Tensor2D> {
  const [n] = gram.shape;
  const numbers = Float64Array.from(await gram.data());
  gram.dispose();
  const right = new Float64Array(n * n);
  let trace = 0;
  for (let i = 0; i < n; i++) {
    right[i * n + i] = 1;
    trace += numbers[i * n + i]!;
  }
  // the ridge is in units of the diagonal's mean
  const solution = solveRidge({ gram: numbers, right, unknowns: n }, n / trace);
  return tf.tensor2d(Float32Array.from(solution), [n, n]);
}
