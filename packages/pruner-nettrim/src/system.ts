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
  const gram = tf.tidy(() => {
    const products = tf.matMul<tf.Tensor2D>(x, x, byInputs, !byInputs);
    return tf.add<tf.Tensor2D>(products, tf.eye(products.shape[0]));
  });
  const inverse = await inverted(gram);
  gram.dispose();
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

/** Matrices of at most so many rows are inverted in float64. */
const BLOCK = 256;

/**
 * The inverse of a symmetric matrix of which no eigenvalue is below 1. A large one is halved: with the blocks P, Q, Q', R and
 * Schur's complement S = R - Q'P⁻¹Q, it is P⁻¹ + P⁻¹Q S⁻¹ Q'P⁻¹, -P⁻¹Q S⁻¹, and S⁻¹, and the engine does the products.
 */
async function inverted(matrix: tf.Tensor2D): Promise<tf.Tensor2D> {
  const [n] = matrix.shape;
  if (n <= BLOCK) return invertedBlock(matrix);
  const half = Math.ceil(n / 2);
  const p = tf.slice2d(matrix, [0, 0], [half, half]);
  const first = await inverted(p);
  const [across, complement] = tf.tidy((): [tf.Tensor2D, tf.Tensor2D] => {
    const q = tf.slice2d(matrix, [0, half], [half, n - half]);
    const r = tf.slice2d(matrix, [half, half], [n - half, n - half]);
    const across = tf.matMul<tf.Tensor2D>(first, q);
    return [across, tf.sub(r, tf.matMul(q, across, true))];
  });
  const last = await inverted(complement);
  const inverse = tf.tidy(() => {
    const corner = tf.neg<tf.Tensor2D>(tf.matMul(across, last));
    const top = tf.concat2d([tf.sub(first, tf.matMul(corner, across, false, true)), corner], 1);
    return tf.concat2d([top, tf.concat2d([tf.transpose(corner), last], 1)], 0);
  });
  tf.dispose([p, first, across, complement, last]);
  return inverse;
}

async function invertedBlock(matrix: tf.Tensor2D): Promise<tf.Tensor2D> {
  const [n] = matrix.shape;
  const right = new Float64Array(n * n);
  for (let i = 0; i < n; i++) right[i * n + i] = 1;
  const gram = Float64Array.from(await matrix.data());
  return tf.tensor2d(Float32Array.from(solveRidge({ gram, right, unknowns: n }, 0)), [n, n]);
}
