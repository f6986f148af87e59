import * as tf from '@tensorflow/tfjs-core';
import { type Layout, toPositions } from './layout.ts';
import { type Moments, momentsFrom } from './moments.ts';

/** The share of the statistics in which all patterns count alike: where a unit of the consumer is off, it must stay so. */
const PLAIN = 1 / 6;
/** Weights that sum up to less have lost digits of float32, which ends at 1e-38. */
const LEAST = 1e-30;

/** What is held between batches, for each output and, last, for all patterns alike. */
interface Sums {
  /** Of the weights, [1]. */
  readonly total: tf.Tensor1D;
  /** Of weighted entries less the shift, [1, positions * units]. */
  readonly entries: tf.Tensor2D;
  /** Of their weighted products, [units, units]. */
  readonly products: tf.Tensor2D;
}

/**
 * Sums a consumer's input up as `MomentSums` does, each pattern weighted by how much what the model says depends on
 * what the consumer makes of it; batch by batch, and only the sums are held.
 */
export class WeightedSums {
  readonly #layout: Layout;
  /** How many outputs have sums of their own; of 1, all share them. */
  readonly #outputs: number;
  #shift: tf.Tensor2D | undefined;
  #sums: readonly Sums[] = [];

  constructor(layout: Layout, outputs: number) {
    this.#layout = layout;
    this.#outputs = outputs;
  }

  /**
   * @param input what one call reads, [patterns, ...]
   * @param errors what comes back to the sums of products that are made of it, before bias and activation; of each
   * [patterns, ..., outputs]
   */
  add(input: tf.Tensor, errors: readonly tf.Tensor[]): void {
    const { units, positions } = this.#layout;
    const before = { shift: this.#shift, sums: this.#sums };
    tf.tidy(() => {
      const placed = toPositions(input, this.#layout);
      const rows = tf.reshape(placed, [-1, units]) as tf.Tensor2D;
      const shift = before.shift ?? tf.keep(tf.mean(rows, 0, true) as tf.Tensor2D);
      const beyond = tf.sub(rows, shift) as tf.Tensor2D;
      const weights = this.#weightsOf(errors, placed.shape[0], input.shape[0]!);
      this.#shift = shift;
      this.#sums = [...tf.unstack(weights, 1), tf.ones([placed.shape[0]])].map((weight, i) => {
        const wide = tf.reshape(tf.tile(tf.expandDims(weight, 1), [1, positions]), [-1, 1]);
        const weighted = tf.mul(beyond, wide) as tf.Tensor2D;
        const added: Sums & Record<string, tf.Tensor> = {
          total: tf.reshape(tf.sum(weight), [1]),
          entries: tf.sum(tf.reshape(weighted, [-1, positions * units]), 0, true) as tf.Tensor2D,
          products: tf.matMul(tf.transpose(weighted), beyond) as tf.Tensor2D,
        };
        return kept(added, before.sums[i]);
      });
    });
    for (const { total, entries, products } of before.sums) tf.dispose([total, entries, products]);
  }

  /**
   * [rows, outputs]: of each row by itself where outputs are apart and summed up row by row. Else (a convolution, or a cell
   * that takes its kernel to pieces) of its whole pattern.
   */
  #weightsOf(errors: readonly tf.Tensor[], rows: number, patterns: number): tf.Tensor2D {
    const outputs = this.#outputs;
    const [first, ...others] = errors.map((error) => tf.square(error));
    if (outputs > 1 && others.length === 0 && first!.size === rows * outputs) {
      return tf.reshape(first!, [rows, outputs]) as tf.Tensor2D;
    }
    const sums = [first!, ...others].map((squares) => tf.sum(tf.reshape(squares, [patterns, -1]), 1, true));
    return tf.reshape(tf.tile(tf.addN(sums), [1, (rows / patterns) * outputs]), [
      rows,
      outputs,
    ]) as tf.Tensor2D;
  }

  /** Forgets what was summed. */
  reset(): void {
    this.dispose();
    this.#shift = undefined;
    this.#sums = [];
  }

  /**
   * One for each output, or one of all.
   *
   * @throws if nothing was summed.
   */
  async read(): Promise<Moments[]> {
    if (!this.#shift) throw new Error('[core] no batch was seen');
    const shift = await this.#shift.data();
    const plain = await means(this.#sums.at(-1)!);
    const moments: Moments[] = [];
    for (const sums of this.#sums.slice(0, -1)) {
      const own = await means(sums);
      // nothing depends on an output that is always off
      const mixed = own ? mix(own, plain!) : plain!;
      moments.push(momentsFrom(this.#layout, shift, mixed.entries, mixed.products));
    }
    return moments;
  }

  dispose(): void {
    tf.dispose(this.#shift ?? []);
    for (const { total, entries, products } of this.#sums) tf.dispose([total, entries, products]);
  }
}

function kept(added: Sums, before: Sums | undefined): Sums {
  const plus = <T extends tf.Tensor>(one: T, other: T | undefined): T =>
    tf.keep(other ? tf.add<T>(one, other) : one.clone());
  return {
    total: plus(added.total, before?.total),
    entries: plus(added.entries, before?.entries),
    products: plus(added.products, before?.products),
  };
}

interface Means {
  readonly entries: Float64Array;
  readonly products: Float64Array;
}

async function means({ total, entries, products }: Sums): Promise<Means | undefined> {
  const weight = (await total.data())[0]!;
  // what is not a number goes on, and is refused by the fit
  if (weight < LEAST) return undefined;
  return { entries: scaled(await entries.data(), weight), products: scaled(await products.data(), weight) };
}

// a loop each: there are as many of these as outputs, and callbacks would take most of the time
function scaled(sums: ArrayLike<number>, weight: number): Float64Array {
  const made = new Float64Array(sums.length);
  for (let i = 0; i < made.length; i++) made[i] = sums[i]! / weight;
  return made;
}

function mixed(own: Float64Array, plain: Float64Array): Float64Array {
  for (let i = 0; i < own.length; i++) own[i] = (1 - PLAIN) * own[i]! + PLAIN * plain[i]!;
  return own;
}

const mix = (own: Means, plain: Means): Means => ({
  entries: mixed(own.entries, plain.entries),
  products: mixed(own.products, plain.products),
});
