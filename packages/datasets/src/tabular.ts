import { type Part, type Parts, pick, slice, take } from './dataset.ts';
import { checkOneOf, checkWhole, fail } from './errors.ts';
import { randomFrom, shuffled } from './random.ts';

/** Shares of the rows: train, validation and test; '80:20' leaves validation empty. */
export type Split = '70:15:15' | '80:20';

const shares: Readonly<Record<Split, readonly [train: number, validation: number]>> = {
  '70:15:15': [0.7, 0.15],
  '80:20': [0.8, 0],
};

/** What every dataset that is split here takes. */
export interface SplitOptions {
  /** Default '70:15:15'. */
  readonly split?: Split;
  /** Of the order of the rows before the split. Default 1. */
  readonly seed?: number;
  /** At most so many training rows. */
  readonly limit?: number;
}

/** Mean and standard deviation of each column; a column that never changes gets a deviation of 1. */
const columnStats = ({ x, rows }: Part): { mean: Float64Array; deviation: Float64Array } => {
  const width = x.length / rows;
  // Counted from the first row's values: rounding can't make a constant column look as if it changed.
  const origin = Float64Array.from(x.subarray(0, width));
  const mean = new Float64Array(width);
  const square = new Float64Array(width);
  for (const [i, value] of x.entries()) mean[i % width]! += (value - origin[i % width]!) / rows;
  for (const [i, value] of x.entries()) {
    square[i % width]! += (value - origin[i % width]! - mean[i % width]!) ** 2 / rows;
  }
  return {
    mean: mean.map((shift, column) => origin[column]! + shift),
    deviation: square.map((variance) => Math.sqrt(variance) || 1),
  };
};

/** Shuffles the rows and splits them. */
export const splitRows = (table: Part, { split = '70:15:15', seed = 1, limit }: SplitOptions): Parts => {
  checkOneOf('split', split, Object.keys(shares));
  if (limit !== undefined) checkWhole('limit', limit, 1);
  const [trainShare, validationShare] = shares[split];
  const trainRows = Math.round(table.rows * trainShare);
  const validationEnd = trainRows + Math.round(table.rows * validationShare);
  const empty = trainRows === 0 || validationEnd === table.rows;
  if (empty || (validationShare > 0 && validationEnd === trainRows)) {
    fail(
      `${table.rows} rows are too few for a split of ${split}: a part would be empty. Bring 10 rows or more`,
    );
  }
  const rows = pick(table, shuffled(table.rows, randomFrom(seed)));
  return {
    train: take(rows, Math.min(trainRows, limit ?? trainRows)),
    validation: slice(rows, trainRows, validationEnd),
    test: slice(rows, validationEnd, rows.rows),
  };
};

/** Brings every column to mean 0 and deviation 1 on the training part. */
export const standardize = ({ train, validation, test }: Parts): Parts => {
  const { mean, deviation } = columnStats(train);
  const standard = (part: Part): Part => ({
    ...part,
    x: part.x.map((value, i) => (value - mean[i % mean.length]!) / deviation[i % mean.length]!),
  });
  return { train: standard(train), validation: standard(validation), test: standard(test) };
};
