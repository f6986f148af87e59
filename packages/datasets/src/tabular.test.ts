import { describe, expect, it } from 'vitest';
import type { Part, Parts } from './dataset.ts';
import { splitRows, standardize } from './tabular.ts';

/** Rows [i, 5] with label i. */
const table = (rows: number): Part => ({
  x: Float32Array.from({ length: 2 * rows }, (_, i) => (i % 2 === 0 ? i / 2 : 5)),
  labels: Int32Array.from({ length: rows }, (_, i) => i),
  rows,
});

const rowsOf = ({ train, validation, test }: Parts): number[] => [train.rows, validation.rows, test.rows];

describe('splitRows', () => {
  it.each([
    [100, '70:15:15', [70, 15, 15]],
    [100, '80:20', [80, 0, 20]],
    [10, '70:15:15', [7, 2, 1]],
  ] as const)('of %i rows by %s', (rows, split, expected) => {
    expect(rowsOf(splitRows(table(rows), { split }))).toEqual(expected);
  });

  it('puts every row, with its own label, into one part', () => {
    const { train, validation, test } = splitRows(table(100), { seed: 4 });
    const labels = [train, validation, test].flatMap((part) => [...part.labels]);
    const firsts = [train, validation, test].flatMap((part) => [...part.x].filter((_, i) => i % 2 === 0));
    expect(firsts).toEqual(labels);
    expect(labels).not.toEqual(labels.toSorted((a, b) => a - b));
    expect(labels.toSorted((a, b) => a - b)).toEqual([...table(100).labels]);
  });

  it('depends on the seed alone', () => {
    // As first drawn: a change here changes everybody's splits.
    expect([...splitRows(table(10), { seed: 1 }).train.labels]).toEqual([2, 7, 0, 5, 6, 8, 1]);
    expect(splitRows(table(100), { seed: 2 })).toEqual(splitRows(table(100), { seed: 2 }));
    expect(splitRows(table(100), { seed: 2 }).train.labels).not.toEqual(
      splitRows(table(100), {}).train.labels,
    );
  });

  it('limits the training rows and leaves the other parts alone', () => {
    const [all, some] = [splitRows(table(100), {}), splitRows(table(100), { limit: 10 })];
    expect(some.train.labels).toEqual(all.train.labels.subarray(0, 10));
    expect(some.test).toEqual(all.test);
    expect(splitRows(table(100), { limit: 1000 })).toEqual(all);
  });

  it('refuses what leaves a part empty, and options that make no sense', () => {
    expect(() => splitRows(table(3), {})).toThrow('[datasets] 3 rows are too few for a split of 70:15:15');
    expect(() => splitRows(table(2), { split: '80:20' })).toThrow('2 rows are too few');
    expect(() => splitRows(table(9), { split: '1:1' as '80:20' })).toThrow(
      "unknown split '1:1'. Use one of: 70:15:15",
    );
    expect(() => splitRows(table(9), { limit: 0 })).toThrow(
      'limit must be a whole number of 1 or more, got 0',
    );
  });
});

describe('standardize', () => {
  it('takes mean and deviation from the training part alone', () => {
    const part = (...x: number[]): Part => ({
      x: Float32Array.from(x),
      labels: new Int32Array(x.length),
      rows: x.length,
    });
    // Mean 3, deviation 2.
    const { train, validation, test } = standardize({
      train: part(1, 5),
      validation: part(103),
      test: part(-7),
    });
    expect([...train.x]).toEqual([-1, 1]);
    expect([...validation.x]).toEqual([50]);
    expect([...test.x]).toEqual([-5]);
  });

  it('turns a column that never changes into zeros', () => {
    const { train } = standardize(splitRows(table(100), {}));
    expect([...train.x].filter((_, i) => i % 2 === 1).every((value) => value === 0)).toBe(true);
  });
});
