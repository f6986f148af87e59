/** When to give up a training that gets no better. */
export interface EarlyStopping {
  /** How many epochs without improvement to wait. */
  readonly patience: number;
  /** How much counts as an improvement of the watched loss. Default 0. */
  readonly minDelta?: number;
}

/** Says when a loss has stopped to fall. */
export class Stopper {
  readonly patience: number;
  readonly #minDelta: number;
  #best = Number.POSITIVE_INFINITY;
  #waited = 0;

  /** Without settings it never stops. */
  constructor({ patience, minDelta = 0 }: EarlyStopping = { patience: Number.POSITIVE_INFINITY }) {
    if (!(patience >= 1))
      throw new Error(`[trainer] earlyStopping.patience must be at least 1, got ${patience}`);
    this.patience = patience;
    this.#minDelta = minDelta;
  }

  /** After a pruning the loss starts anew. */
  reset(): void {
    this.#best = Number.POSITIVE_INFINITY;
    this.#waited = 0;
  }

  isOver(loss: number): boolean {
    if (loss < this.#best - this.#minDelta) {
      this.#best = loss;
      this.#waited = 0;
    } else {
      this.#waited++;
    }
    return this.#waited >= this.patience;
  }
}
