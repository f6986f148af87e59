/**
 * The least and the greatest value along the last axis of the inputs: one pair for each channel of an image, for each
 * column of a table.
 */
export interface InputRange {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/**
 * The range of some rows, clean ones: those that a network is trained on.
 *
 * @param x the rows, one after the other.
 * @param inputShape the shape of one row.
 * @throws if there are no rows, or the values make up no whole ones.
 */
export function rangeOf(x: Float32Array, inputShape: readonly number[]): InputRange {
  if (x.length === 0) throw new Error('[noise] the range of no rows: give the rows of the training data');
  widthOf(x, inputShape);
  const features = inputShape.at(-1) ?? 1;
  const [low, high] = [x.slice(0, features), x.slice(0, features)];
  for (let i = 0; i < x.length; i += features) {
    for (let feature = 0; feature < features; feature++) {
      const value = x[i + feature]!;
      if (value < low[feature]!) low[feature] = value;
      if (value > high[feature]!) high[feature] = value;
    }
  }
  return { low, high };
}

/**
 * How many values a row has.
 *
 * @throws if some are left over.
 */
export function widthOf(x: Float32Array, inputShape: readonly number[]): number {
  const width = inputShape.reduce((product, size) => product * size, 1);
  if (x.length % width !== 0) {
    throw new Error(
      `[noise] ${x.length} values are no whole rows of shape [${inputShape}], which have ${width} each`,
    );
  }
  return width;
}
