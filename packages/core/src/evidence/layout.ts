import type { Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Where the units of a group stand on one axis of a tensor: row-major [positions, units], the entry on the
 * axis of each unit's first, second, ... position. Units with fewer positions are filled up by -1.
 */
export interface Layout {
  readonly axis: number;
  readonly length: number;
  readonly units: number;
  readonly positions: number;
  readonly entries: Int32Array;
  /** Whether that is the axis itself, entry by entry. */
  readonly isWhole: boolean;
}

/** The layout of units whose entries on an axis are known. */
export function layoutOf(axis: number, length: number, entriesOf: readonly (readonly number[])[]): Layout {
  const units = entriesOf.length;
  const positions = entriesOf.reduce((most, entries) => Math.max(most, entries.length), 0);
  const entries = new Int32Array(positions * units).fill(-1);
  entriesOf.forEach((own, unit) => {
    own.forEach((entry, position) => {
      entries[position * units + unit] = entry;
    });
  });
  const isWhole = entries.length === length && entries.every((entry, i) => entry === i);
  return { axis, length, units, positions, entries, isWhole };
}

/**
 * The tensor as rows over units, [rows, units]: all other axes and each unit's positions become rows. Absent
 * positions are 0. The tensor itself where that is what it is.
 */
export function toRows(tensor: tf.Tensor, layout: Layout): Tensor2D {
  const rows = toPositions(tensor, layout);
  return layout.positions === 1 ? rows : tf.reshape(rows, [-1, layout.units]);
}

/** The tensor as [rows, positions * units], positions first. */
export function toPositions(tensor: tf.Tensor, { axis, length, entries, isWhole }: Layout): Tensor2D {
  const moved = axis === tensor.rank - 1 ? tensor : tf.transpose(tensor, [...others(tensor, axis), axis]);
  const rows = (moved.rank === 2 ? moved : tf.reshape(moved, [-1, length])) as Tensor2D;
  if (isWhole) return rows;
  if (entries.includes(-1)) {
    // an absent entry reads the column of zeros
    const padded = tf.concat([rows, tf.zeros([rows.shape[0], 1])], 1) as Tensor2D;
    const present = entries.map((entry) => (entry < 0 ? length : entry));
    return tf.gather(padded, tf.tensor1d(present, 'int32'), 1) as Tensor2D;
  }
  return tf.gather(rows, tf.tensor1d(entries, 'int32'), 1) as Tensor2D;
}

const others = ({ rank }: tf.Tensor, axis: number): number[] =>
  Array.from({ length: rank }, (_, other) => other).filter((other) => other !== axis);
