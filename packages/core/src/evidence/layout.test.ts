import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { layoutOf, toRows } from './layout.ts';

describe('a layout', () => {
  it('puts units that stand anywhere on an axis into columns, their positions into rows', () => {
    const layout = layoutOf(0, 5, [[4, 0], [2]]);
    const rows = toRows(tf.tensor2d([[10], [11], [12], [13], [14]]), layout);
    expect(rows.arraySync()).toEqual([
      [14, 12],
      [10, 0],
    ]);
  });

  it('is made of as many units as a large map has features', () => {
    const units = 200_000;
    const layout = layoutOf(
      1,
      units,
      Array.from({ length: units }, (_, unit) => [unit]),
    );
    expect(layout).toMatchObject({ units, positions: 1, isWhole: true });
  });
});
