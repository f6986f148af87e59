/** When to prune, in the epochs of one training. */
export interface Schedule {
  /** After every so many epochs. Default 1. */
  readonly every?: number;
  /** During this first part of the epochs, 0 to 1. Default 1. */
  readonly until?: number;
}

/**
 * After which epochs (counted from 1) of a training it is pruned; none if `every` is longer than the first part.
 *
 * @throws if a number makes no sense.
 */
export function pruningEpochs({ every = 1, until = 1 }: Schedule, epochs: number): number[] {
  if (!Number.isInteger(every) || every < 1) {
    throw new Error(`[core] every must be a whole number of epochs of at least 1, got ${every}`);
  }
  if (!(until > 0 && until <= 1)) throw new Error(`[core] until must be above 0 and at most 1, got ${until}`);
  // the small term undoes the rounding of products like 0.7 * 10
  return Array.from({ length: Math.floor((epochs * until) / every + 1e-9) }, (_, i) => (i + 1) * every);
}
