import * as tf from '@tensorflow/tfjs-core';
import { type Layout, toPositions } from './layout.ts';

/** What compensation knows of a consumer's input. */
export interface Moments {
  readonly units: number;
  /** How many entries each unit has on the consumer's input axis. */
  readonly positions: number;
  /** The mean of each entry, [positions, units]. */
  readonly means: Float32Array;
  /** The mean products of each two units over all positions, [units, units]; only if asked for. */
  readonly products?: Float32Array;
}

/** Sums a consumer's input up, batch by batch; only the sums are held. */
export class MomentSums {
  readonly #layout: Layout;
  readonly #withProducts: boolean;
  #rows = 0;
  #sums: tf.Tensor2D | undefined;
  #products: tf.Tensor2D | undefined;

  constructor(layout: Layout, withProducts: boolean) {
    this.#layout = layout;
    this.#withProducts = withProducts;
  }

  add(input: tf.Tensor): void {
    const { units } = this.#layout;
    const [sums, products, rows] = tf.tidy(() => {
      const positions = toPositions(input, this.#layout);
      const flat: tf.Tensor2D = tf.reshape(positions, [-1, units]);
      const sum = tf.sum(positions, 0, true) as tf.Tensor2D;
      const product = this.#withProducts ? tf.matMul(flat, flat, true, false) : tf.zeros([0, 0]);
      return [
        tf.keep(this.#sums ? tf.add(this.#sums, sum) : sum),
        tf.keep(this.#products ? tf.add(this.#products, product) : (product as tf.Tensor2D)),
        positions.shape[0],
      ] as [tf.Tensor2D, tf.Tensor2D, number];
    });
    this.dispose();
    this.#sums = sums;
    this.#products = products;
    this.#rows += rows;
  }

  /** Forgets what was summed. */
  reset(): void {
    this.dispose();
    this.#sums = undefined;
    this.#products = undefined;
    this.#rows = 0;
  }

  /** @throws if nothing was summed. */
  async read(): Promise<Moments> {
    const { units, positions } = this.#layout;
    if (!this.#sums || !this.#products) throw new Error('[core] no batch was seen');
    const rows = this.#rows;
    const means = Float32Array.from(await this.#sums.data(), (sum) => sum / rows);
    if (!this.#withProducts) return { units, positions, means };
    const products = Float32Array.from(await this.#products.data(), (sum) => sum / (rows * positions));
    return { units, positions, means, products };
  }

  dispose(): void {
    tf.dispose([this.#sums, this.#products].filter((tensor) => tensor !== undefined));
  }
}
