/** Rounded down; the small term undoes the rounding of products like 0.7 * 10. */
export const wholeOf = (number: number): number => Math.floor(number + 1e-9);
