import * as tf from '@tensorflow/tfjs-core';
import type { Seen, Update, Weights } from '../pruner.ts';

/** Rows of numbers. */
export type Matrix = readonly (readonly number[])[];

/** One optimizer step in plain numbers, in the weights' own layout. See {@link Update}. */
export interface UpdateNumbers {
  readonly gradient: Matrix;
  readonly before: Matrix;
  readonly after: Matrix;
}

/** A batch in plain numbers, with the layouts of {@link Seen}. */
export interface BatchNumbers {
  readonly group: string;
  /** Shape [fanIn, units]. */
  readonly incoming: Matrix;
  /** Shape [units]. */
  readonly bias: readonly number[];
  /** Shape [units, fanOut]. */
  readonly outgoing: Matrix;
  /** Shape [scales, units]. */
  readonly scales: Matrix;
  /** Shape [patterns * positions, units]. */
  readonly activations: Matrix;
  /** Shape [patterns * positions, units]. */
  readonly errors: Matrix;
  /** Shape [patterns, units]. */
  readonly losses: Matrix;
  /** How many rows of `activations` and `errors` each pattern has. */
  readonly positions: number;
  readonly updates: { readonly incoming: UpdateNumbers; readonly outgoing: UpdateNumbers };
}

/** The parts of a batch that matter to a test, and the sizes of what it leaves out. */
export interface BatchParts extends Partial<Omit<BatchNumbers, 'updates'>> {
  readonly updates?: {
    readonly incoming?: Partial<UpdateNumbers>;
    readonly outgoing?: Partial<UpdateNumbers>;
  };
  /** Default: as the given parts have, else 6. */
  readonly units?: number;
  /** Default: as the given parts have, else 8. */
  readonly patterns?: number;
  /** Of each unit in each pattern. Default 1. */
  readonly positions?: number;
  /** Default: as the given parts have, else 4. */
  readonly fanIn?: number;
  /** Default: as the given parts have, else 3. */
  readonly fanOut?: number;
  /** Of the parts left out. Default 1. */
  readonly seed?: number;
}

/** The learning rate of the steps in `updates` that are left out. */
const RATE = 0.1;

/**
 * All of a batch from some of it. What is left out is drawn evenly from [-1, 1) by the seed, each part by
 * itself; an update left out is a step of plain gradient descent that ends at the batch's weights.
 *
 * @throws if two parts disagree about a size.
 */
export function complete(parts: BatchParts = {}): BatchNumbers {
  const { seed = 1, positions = 1, updates = {} } = parts;
  const into = updates.incoming ?? {};
  const out = updates.outgoing ?? {};
  const intoParts = [parts.incoming, into.gradient, into.before, into.after];
  const outParts = [parts.outgoing, out.gradient, out.before, out.after];
  const rows = [parts.activations, parts.errors];
  const units = agree('units', 6, [
    parts.units,
    parts.bias?.length,
    ...[...intoParts, ...rows, parts.losses, parts.scales].map((part) => part?.[0]?.length),
    ...outParts.map((part) => part?.length),
  ]);
  const height = agree('patterns', 8 * positions, [
    parts.patterns && parts.patterns * positions,
    parts.losses && parts.losses.length * positions,
    ...rows.map((part) => part?.length),
  ]);
  if (height % positions !== 0) {
    throw new Error(`[core/testing] ${height} rows are not ${positions} positions of each pattern`);
  }
  const fanIn = agree('fanIn', 4, [parts.fanIn, ...intoParts.map((part) => part?.length)]);
  const fanOut = agree('fanOut', 3, [parts.fanOut, ...outParts.map((part) => part?.[0]?.length)]);

  const drawn = (part: number, height: number, width: number): Matrix => {
    const next = uniform(seed * 16 + part);
    return Array.from({ length: height }, () => Array.from({ length: width }, next));
  };
  const incoming = parts.incoming ?? into.after ?? drawn(0, fanIn, units);
  const outgoing = parts.outgoing ?? out.after ?? drawn(1, units, fanOut);
  return {
    group: parts.group ?? 'group',
    incoming,
    bias: parts.bias ?? drawn(2, 1, units)[0]!,
    outgoing,
    scales: parts.scales ?? drawn(7, 1, units),
    activations: parts.activations ?? drawn(3, height, units),
    errors: parts.errors ?? drawn(4, height, units),
    losses: parts.losses ?? drawn(8, height / positions, units),
    positions,
    updates: {
      incoming: completeUpdate(into, incoming, drawn(5, fanIn, units)),
      outgoing: completeUpdate(out, outgoing, drawn(6, units, fanOut)),
    },
  };
}

function completeUpdate(
  { gradient: given, before, after: end }: Partial<UpdateNumbers>,
  weights: Matrix,
  drawn: Matrix,
): UpdateNumbers {
  const gradient = given ?? drawn;
  const after = end ?? weights;
  const start = after.map((row, i) => row.map((weight, j) => weight + RATE * gradient[i]![j]!));
  return { gradient, before: before ?? start, after };
}

/** The one size that all given ones name. */
function agree(name: string, otherwise: number, sizes: readonly (number | undefined)[]): number {
  const given = [...new Set(sizes.filter((size) => size !== undefined))];
  if (given.length > 1) throw new Error(`[core/testing] the parts of a batch differ in ${name}: ${given}`);
  return given[0] ?? otherwise;
}

/** Draws from [-1, 1): Mulberry32, the same on every engine. */
function uniform(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b9);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/**
 * A batch for a hand-worked test: give the parts that the criterion reads, as plain numbers; the rest gets
 * seeded values in [-1, 1) of fitting shapes.
 *
 * ```ts
 * const seen = batch({ errors: [[1, 0], [0, 2]] }); // two patterns (rows), two units (columns)
 * ```
 *
 * Its tensors live until `tf.dispose` frees them.
 *
 * @throws if two parts disagree about a size.
 */
export function batch(parts: BatchParts = {}): Seen {
  const numbers = complete(parts);
  const step = ({ gradient, before, after }: UpdateNumbers): Update => ({
    gradient: single(gradient),
    before: single(before),
    after: single(after),
  });
  return {
    group: numbers.group,
    incoming: matrix(numbers.incoming),
    bias: tf.tensor1d([...numbers.bias]),
    outgoing: matrix(numbers.outgoing),
    scales: matrix(numbers.scales),
    activations: matrix(numbers.activations),
    errors: matrix(numbers.errors),
    losses: matrix(numbers.losses),
    patterns: numbers.errors.length / numbers.positions,
    updates: { incoming: step(numbers.updates.incoming), outgoing: step(numbers.updates.outgoing) },
  };
}

// a shape of its own, for a matrix without rows has none that TensorFlow.js could read off it
const matrix = (rows: Matrix): tf.Tensor2D => tf.tensor2d(rows.flat(), [rows.length, rows[0]?.length ?? 0]);

const single = (rows: Matrix): tf.Tensor3D =>
  tf.tensor3d(rows.flat(), [1, rows.length, rows[0]?.length ?? 0]);

/** The part of a batch that is always there. */
export const weightsOf = ({ group, incoming, bias, outgoing, scales }: Seen): Weights => ({
  group,
  incoming,
  bias,
  outgoing,
  scales,
});
