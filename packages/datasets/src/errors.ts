/** Throws this package's error. */
export const fail = (message: string): never => {
  throw new Error(`[datasets] ${message}`);
};

/** The files of a dataset are neither here nor to be had from the network. */
export class DatasetUnavailableError extends Error {
  override readonly name = 'DatasetUnavailableError';
  /** The name of the dataset. */
  readonly dataset: string;

  /** `reasons`: where it was looked for, and what came of it. */
  constructor(dataset: string, path: string, reasons: readonly string[]) {
    super(
      `[datasets] ${dataset} is not to be had. Looked for ${path}: ${reasons.join('; ')}. ` +
        `Set ESPALIER_DATA_DIR to a folder that holds ${path}, or use the dataset 'glyphs', which needs no files`,
    );
    this.dataset = dataset;
  }
}

/** A file's contents are not what the dataset's authors published. Such a file is never used. */
export class DatasetChecksumError extends Error {
  override readonly name = 'DatasetChecksumError';
  /** The name of the dataset. */
  readonly dataset: string;

  /** `advice`: what to do about it. */
  constructor(dataset: string, problem: string, advice: string) {
    super(`[datasets] ${dataset}: ${problem}. ${advice}`);
    this.dataset = dataset;
  }
}

export const checkWhole = (what: string, value: number, least: number): void => {
  if (!Number.isSafeInteger(value) || value < least) {
    fail(`${what} must be a whole number of ${least} or more, got ${value}`);
  }
};

export const checkOneOf = (what: string, value: string, allowed: readonly string[]): void => {
  if (!allowed.includes(value)) fail(`unknown ${what} '${value}'. Use one of: ${allowed.join(', ')}`);
};
