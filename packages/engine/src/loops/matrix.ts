import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { places } from '../kernels/batched.ts';
import { addressOf, type Loops, packedBytes, repeat, roomFor } from './loops.ts';

/**
 * Multiplies matrices, transposed or not, or batches of them, and adds a bias [columns] if there is one: nothing is
 * transposed, only read that way.
 */
export function multiplyMatrices(
  backend: BackendWasm,
  loops: Loops,
  { a, b, bias }: { a: tf.TensorInfo; b: tf.TensorInfo; bias?: tf.TensorInfo | undefined },
  { transposeA, transposeB }: tf.BatchMatMulAttrs,
): tf.TensorInfo {
  const [aOuter, bOuter] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(aOuter, bOuter);
  const [aLines, aColumns] = a.shape.slice(-2) as [number, number];
  const [bLines, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aLines] : [aLines, aColumns];
  const n = transposeB ? bLines : bColumns;
  const [aStep, kStep] = transposeA ? [4, m * 4] : [k * 4, 4];
  const [line, column] = transposeB ? [4, k * 4] : [n * 4, 4];
  const out = backend.makeOutput([...outer, m, n], 'float32');
  const packed = roomFor(backend, packedBytes(k, n));
  const [left, right, to] = [addressOf(backend, a), addressOf(backend, b), addressOf(backend, out)];
  const [aAt, bAt] = [places(outer, aOuter), places(outer, bOuter)];
  if (bias) repeat(loops, addressOf(backend, bias), n * 4, aAt.length * m, to);
  aAt.forEach((from, i) => {
    const side = bAt[i]!;
    if (side !== bAt[i - 1]) loops.pack(right + side * k * n * 4, line, column, k, n, packed);
    const [start, end] = [left + from * m * k * 4, to + i * m * n * 4];
    loops.multiply(start, m, aStep, 0, k, kStep, 0, packed, end, m, n * 4, 0, m, n, k, Number(!!bias));
  });
  return out;
}
