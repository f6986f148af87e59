import type { PairPruner } from '@espalier/core';

/**
 * Who may go where units go for the sake of others: one that pairs with another that stays, and of which no unit that
 * went is left with as its only partner. A unit that the pair pruner proposes alone (a dead one) may always go.
 */
export class Partners {
  readonly #pairs: Uint8Array;
  readonly #units: number;
  readonly #isFree: Uint8Array;
  readonly #isGone: Uint8Array;
  readonly #mustStay: Uint8Array;
  /** How many partners of each unit are there. */
  readonly #left: Uint32Array;

  /** @param matrix what `compare` returned, row-major [units, units] */
  constructor(pruner: Pick<PairPruner, 'propose'>, matrix: Float32Array, units: number) {
    this.#units = units;
    this.#pairs = new Uint8Array(units * units);
    [this.#isFree, this.#isGone, this.#mustStay] = [0, 1, 2].map(() => new Uint8Array(units)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    this.#left = new Uint32Array(units);
    for (let low = 0; low < units; low++) {
      for (let high = low + 1; high < units; high++) this.#ask(pruner, matrix, low, high);
    }
  }

  mayGo(unit: number): boolean {
    return !this.#mustStay[unit] && (this.#isFree[unit] === 1 || this.#left[unit]! > 0);
  }

  go(unit: number): void {
    this.#isGone[unit] = 1;
    this.#holdLast(unit);
    for (const partner of this.#partnersOf(unit)) {
      this.#left[partner]!--;
      if (this.#isGone[partner]) this.#holdLast(partner);
    }
  }

  /** Whether one of the two could go for the other, if they were the only ones. */
  #ask(pruner: Pick<PairPruner, 'propose'>, matrix: Float32Array, low: number, high: number): void {
    const two = [low, high];
    const between = Float32Array.from([0, 1, 2, 3], (i) => {
      return matrix[two[i >> 1]! * this.#units + two[i & 1]!]!;
    });
    for (const { unit, into, also } of pruner.propose(between, 2)) {
      if (into === undefined && also === undefined) {
        this.#isFree[two[unit]!] = 1;
        continue;
      }
      this.#pairs[low * this.#units + high] = this.#pairs[high * this.#units + low] = 1;
      this.#left[low]!++;
      this.#left[high]!++;
    }
  }

  /** Holds the only partner that a unit has left, if it is one that needs any. */
  #holdLast(gone: number): void {
    if (this.#left[gone] !== 1) return;
    for (const partner of this.#partnersOf(gone)) if (!this.#isGone[partner]) this.#mustStay[partner] = 1;
  }

  *#partnersOf(unit: number): Generator<number> {
    for (let other = 0; other < this.#units; other++) {
      if (this.#pairs[unit * this.#units + other]) yield other;
    }
  }
}
