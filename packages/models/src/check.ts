/** Throws this package's error. */
export const fail = (message: string): never => {
  throw new Error(`[models] ${message}`);
};

const list = (values: readonly string[]): string => values.join(', ');

export const checkOneOf = (what: string, value: string, allowed: readonly string[]): void => {
  if (!allowed.includes(value)) fail(`unknown ${what} '${value}'. Use one of: ${list(allowed)}`);
};

export const checkWhole = (what: string, value: number, least: number): void => {
  if (!Number.isSafeInteger(value) || value < least) {
    fail(`${what} must be a whole number of ${least} or more, got ${value}`);
  }
};

/** Widths of layers, or the sides of an input. */
export const checkWidths = (what: string, values: readonly number[]): void => {
  if (!Array.isArray(values)) fail(`${what} must be a list of whole numbers, got ${String(values)}`);
  for (const [i, value] of values.entries()) checkWhole(`${what}[${i}]`, value, 1);
};

export const checkKnown = (who: string, given: object, allowed: readonly string[]): void => {
  const stranger = Object.keys(given).find((key) => !allowed.includes(key));
  if (stranger !== undefined) fail(`${who} has no option '${stranger}'. It takes: ${list(allowed)}`);
};
