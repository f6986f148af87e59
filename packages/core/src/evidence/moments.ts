import * as tf from '@tensorflow/tfjs-core';
import { type Layout, toPositions } from './layout.ts';

/** What compensation knows of a consumer's input. */
export interface Moments {
  readonly units: number;
  /** How many entries each unit has on the consumer's input axis. */
  readonly positions: number;
  /** The mean of each entry, [positions, units]. */
  readonly means: Float32Array;
  /** The covariance of each two units over all positions, [units, units]; only if asked for. */
  readonly covariances?: Float32Array;
}

/** What is held between batches: sums of what lies beyond `shift`, so that large means cost no digits. */
interface Sums {
  /** The units' means in the first batch, [1, units]. */
  readonly shift: tf.Tensor2D;
  /** Of each entry, [1, positions * units]. */
  readonly entries: tf.Tensor2D;
  /** Of the products of each two units, [units, units]; empty if nobody asked. */
  readonly products: tf.Tensor2D;
}

/** Sums a consumer's input up, batch by batch; only the sums are held. */
export class MomentSums {
  readonly #layout: Layout;
  readonly #withCovariances: boolean;
  #rows = 0;
  #sums: Sums | undefined;

  constructor(layout: Layout, withCovariances: boolean) {
    this.#layout = layout;
    this.#withCovariances = withCovariances;
  }

  add(input: tf.Tensor): void {
    const { units, positions } = this.#layout;
    const before = this.#sums;
    this.#sums = tf.tidy(() => {
      const rows = tf.reshape(toPositions(input, this.#layout), [-1, units]) as tf.Tensor2D;
      const shift = before?.shift.clone() ?? (tf.mean(rows, 0, true) as tf.Tensor2D);
      const beyond = tf.sub(rows, shift) as tf.Tensor2D;
      const entries = tf.sum(tf.reshape(beyond, [-1, positions * units]), 0, true) as tf.Tensor2D;
      const products = this.#withCovariances
        ? (tf.matMul(tf.transpose(beyond), beyond) as tf.Tensor2D)
        : (tf.zeros([0, 0]) as tf.Tensor2D);
      this.#rows += rows.shape[0] / positions;
      return {
        shift: tf.keep(shift),
        entries: tf.keep(before ? tf.add(before.entries, entries) : entries),
        products: tf.keep(before ? tf.add(before.products, products) : products),
      } as Sums & Record<string, tf.Tensor2D>;
    });
    disposeSums(before);
  }

  /** Forgets what was summed. */
  reset(): void {
    this.dispose();
    this.#sums = undefined;
    this.#rows = 0;
  }

  /** @throws if nothing was summed. */
  async read(): Promise<Moments> {
    const { units, positions } = this.#layout;
    if (!this.#sums) throw new Error('[core] no batch was seen');
    const rows = this.#rows;
    const shift = await this.#sums.shift.data();
    const entries = Float64Array.from(await this.#sums.entries.data(), (sum) => sum / rows);
    if (!this.#withCovariances) {
      return { units, positions, means: Float32Array.from(entries, (mean, i) => mean + shift[i % units]!) };
    }
    const products = Float64Array.from(await this.#sums.products.data(), (sum) => sum / rows);
    return momentsFrom(this.#layout, shift, entries, products);
  }

  dispose(): void {
    disposeSums(this.#sums);
  }
}

/**
 * @param shift what was taken off each unit, [units]
 * @param entries the mean of each entry less the shift, [positions, units]
 * @param products the mean over patterns of the products of each two units less their shifts, summed over positions,
 * [units, units]
 */
export function momentsFrom(
  { units, positions }: Pick<Layout, 'units' | 'positions'>,
  shift: ArrayLike<number>,
  entries: Float64Array,
  products: Float64Array,
): Required<Moments> {
  const unitMeans = new Float64Array(units);
  entries.forEach((mean, entry) => {
    unitMeans[entry % units]! += mean / positions;
  });
  const covariances = new Float32Array(products.length);
  for (let i = 0; i < units; i++) {
    for (let j = 0; j < units; j++) {
      const at = i * units + j;
      covariances[at] = products[at]! / positions - unitMeans[i]! * unitMeans[j]!;
    }
  }
  const means = Float32Array.from(entries, (mean, entry) => mean + shift[entry % units]!);
  return { units, positions, means, covariances };
}

function disposeSums(sums: Sums | undefined): void {
  if (sums) tf.dispose([sums.shift, sums.entries, sums.products]);
}
