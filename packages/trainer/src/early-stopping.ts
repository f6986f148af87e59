/** When to give up a training that gets no better. */
export interface EarlyStopping {
  /** How many epochs without improvement to wait. */
  readonly patience: number;
  /** How much counts as an improvement of the watched loss. Default 0. */
  readonly minDelta?: number;
}

/** How long a training has got no better. */
export interface StoppingState {
  /** The best loss since the last pruning; absent before the first epoch after it. */
  readonly best?: number;
  /** Epochs without improvement. */
  readonly waited: number;
}

/** Says when a loss has stopped to fall. */
export class Stopper {
  readonly patience: number;
  readonly #minDelta: number;
  #best: number;
  #waited: number;

  /** Without settings it never stops. */
  constructor(
    { patience, minDelta = 0 }: EarlyStopping = { patience: Number.POSITIVE_INFINITY },
    { best = Number.POSITIVE_INFINITY, waited }: StoppingState = { waited: 0 },
  ) {
    if (!(patience >= 1))
      throw new Error(`[trainer] earlyStopping.patience must be at least 1, got ${patience}`);
    if (!(minDelta >= 0))
      throw new Error(`[trainer] earlyStopping.minDelta must be at least 0, got ${minDelta}`);
    this.patience = patience;
    this.#minDelta = minDelta;
    this.#best = best;
    this.#waited = waited;
  }

  /** As JSON knows it, for a training that goes on another time. */
  get state(): StoppingState {
    return { ...(Number.isFinite(this.#best) && { best: this.#best }), waited: this.#waited };
  }

  get isOver(): boolean {
    return this.#waited >= this.patience;
  }

  /** After a pruning the loss starts anew. */
  reset(): void {
    this.#best = Number.POSITIVE_INFINITY;
    this.#waited = 0;
  }

  epochEnd(loss: number): void {
    if (loss < this.#best - this.#minDelta) {
      this.#best = loss;
      this.#waited = 0;
    } else {
      this.#waited++;
    }
  }
}
