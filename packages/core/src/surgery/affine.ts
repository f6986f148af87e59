import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layoutOf, toRows } from '../evidence/layout.ts';
import { MomentSums, type Moments } from '../evidence/moments.ts';
import { tap } from '../evidence/taps.ts';
import type { TracedLayer } from '../graph/trace.ts';
import { solveRidge } from '../linear/ridge.ts';
import { type CalibrationData, runThrough, type Watcher } from '../plan/data.ts';
import type { Joint, Reader } from './joint.ts';

/** What stands in for a layer and those behind it: h = x A + c. */
export interface AffineMap {
  /** A, row-major [entries of x, units of h]. */
  readonly matrix: Float64Array;
  /** c, [units of h]. */
  readonly constant: Float64Array;
}

/** In units of the inputs' mean variance: above the rounding of sums in float32, below what data can tell. */
const RIDGE = 1e-4;
/** How far from a straight line rounding may take a layer. */
const ROUNDING = 1e-4;

/** The whole tensor as [positions, entries of one axis]. */
const rowsOf = (tensor: tf.Tensor, axis: number): tf.Tensor2D => {
  const length = tensor.shape[axis]!;
  const entries = Array.from({ length }, (_, i) => [i]);
  return toRows(tensor, layoutOf(axis, length, entries));
};

/**
 * What a layer and those behind it do to each position, if that is affine; undefined if something bends. It is asked
 * of the layers themselves: what they make of zero, of each entry alone, and of a few vectors near and far.
 */
export async function exactMap(
  { layer, axis, width }: Joint,
  { between }: Reader,
): Promise<AffineMap | undefined> {
  const rank = layer.inputs[0]!.labels.shape.length;
  const [asked, answered] = tf.tidy(() => {
    const vectors = tf.randomNormal([2, width], 0, 1, 'float32', 1) as tf.Tensor2D;
    const near = tf.concat([vectors, tf.neg(vectors)], 0);
    const rows = tf.concat([tf.zeros([1, width]), tf.eye(width), near, tf.mul(near, 1000)], 0);
    const shape = [rows.shape[0]!, ...Array.from({ length: rank }, (_, a) => (a === axis ? width : 1))];
    const outputs = [layer, ...between].reduce(
      (tensor, one) => one.layer.apply(tensor, { training: false }) as tf.Tensor,
      tf.reshape(rows, shape),
    );
    return [rows, rowsOf(outputs, axis + 1)];
  });
  const [x, h] = [await asked.data(), await answered.data()];
  const units = answered.shape[1]!;
  tf.dispose([asked, answered]);
  const constant = Float64Array.from(h.subarray(0, units));
  const matrix = Float64Array.from(
    h.subarray(units, (width + 1) * units),
    (value, i) => value - constant[i % units]!,
  );
  return isStraight({ matrix, constant }, x, h, width) ? { matrix, constant } : undefined;
}

function isStraight(
  { matrix, constant }: AffineMap,
  x: ArrayLike<number>,
  h: ArrayLike<number>,
  width: number,
): boolean {
  const units = constant.length;
  for (let row = 0; row < h.length / units; row++) {
    for (let unit = 0; unit < units; unit++) {
      let [straight, size] = [constant[unit]!, Math.abs(constant[unit]!)];
      for (let i = 0; i < width; i++) {
        const term = x[row * width + i]! * matrix[i * units + unit]!;
        straight += term;
        size += Math.abs(term);
      }
      if (!(Math.abs(straight - h[row * units + unit]!) <= ROUNDING * (size + 1e-3))) return false;
    }
  }
  return true;
}

/**
 * For each reader the map that comes nearest to what it reads, in the mean square over the data: with C the
 * covariances, A = (C_xx + r I)^-1 C_xh and c = mean(h) - mean(x) A.
 */
export async function fittedMaps(
  model: LayersModel,
  joint: Joint,
  data: CalibrationData,
): Promise<AffineMap[]> {
  const { width, readers } = joint;
  const sums = readers.map(({ kernel }) => {
    const units = kernel.shape[kernel.axes.findIndex((one) => one?.role === 'reads')]!;
    const entries = Array.from({ length: width + units }, (_, i) => [i]);
    return new MomentSums(layoutOf(1, width + units, entries), true);
  });
  const listener = new PairListener(joint, sums);
  try {
    await runThrough(model, data, listener);
    return await Promise.all(sums.map(async (one) => nearest(await one.read(), width)));
  } finally {
    listener.detach();
    for (const one of sums) one.dispose();
  }
}

/** Sums up what a layer reads together with what each of its readers reads. */
class PairListener implements Watcher {
  readonly needs: Watcher['needs'] = new Set();
  readonly groups: Watcher['groups'] = [];
  readonly #joint: Joint;
  readonly #sums: readonly MomentSums[];
  #input: tf.Tensor | undefined;
  #untap: (() => void)[] = [];

  constructor(joint: Joint, sums: readonly MomentSums[]) {
    this.#joint = joint;
    this.#sums = sums;
  }

  epochBegin(): void {}

  attach(): void {
    const { layer, axis, readers } = this.#joint;
    this.#listen(layer, (x) => {
      this.batchEnd();
      this.#input = x;
    });
    readers.forEach((reader, i) => {
      this.#listen(reader.layer, (h) => {
        tf.tidy(() =>
          this.#sums[i]!.add(tf.concat([rowsOf(this.#input!, axis + 1), rowsOf(h, axis + 1)], 1)),
        );
        h.dispose();
      });
    });
  }

  batchEnd(): void {
    this.#input?.dispose();
    this.#input = undefined;
  }

  detach(): void {
    for (const untap of this.#untap) untap();
    this.#untap = [];
    this.batchEnd();
  }

  #listen({ layer }: TracedLayer, value: (tensor: tf.Tensor) => void): void {
    this.#untap.push(tap(layer, { side: 'input', when: 'always', input: 0, value }));
  }
}

/** From the moments of x and h side by side. */
function nearest({ units: total, means, covariances }: Moments, width: number): AffineMap {
  const units = total - width;
  const block = (column: number, columns: number) =>
    Float64Array.from(
      { length: width * columns },
      (_, i) => covariances![Math.floor(i / columns) * total + column + (i % columns)]!,
    );
  const equations = { gram: block(0, width), right: block(width, units), unknowns: width };
  const matrix = solveRidge(equations, RIDGE);
  const constant = Float64Array.from(means.subarray(width));
  matrix.forEach((factor, i) => {
    constant[i % units]! -= means[Math.floor(i / units)]! * factor;
  });
  return { matrix, constant };
}
