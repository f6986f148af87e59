import type { Proposal } from '../pruner.ts';
import { type Limits, leastOf, limitsText, mayLeave } from './limits.ts';
import { priceOf, scaleOf } from './ranking.ts';

/** What a group has to give. */
export interface Candidates {
  readonly id: string;
  /** How many units are there. */
  readonly left: number;
  /** The best first. */
  readonly proposals: readonly Proposal[];
}

/** Groups that are ranked together, and what is asked of them. */
export interface Question {
  readonly pool: readonly Candidates[];
  /** How many units should go; without it all that are proposed. */
  readonly wanted: number | undefined;
  readonly limits: Limits;
  /** Whether prices mean the same in every group. */
  readonly comparable: boolean;
  /** Whether all units of a group may go, beside what goes of the others. Without it none may. */
  readonly mayEmpty?: (id: string, taken: Taken) => boolean;
}

/** The proposals that are taken of each group. */
export type Taken = ReadonlyMap<string, readonly Proposal[]>;

/** What goes of a pool. */
export interface Answer {
  readonly taken: Taken;
  /** What to say if the budget could not be met, or limits changed who goes. */
  readonly notes: readonly string[];
  /** The groups of which every unit should have gone, and could not. */
  readonly spared: readonly string[];
}

export const unitsOf = ({ also }: Proposal): number => (also === undefined ? 1 : 2);

export const totalUnits = (proposals: readonly Proposal[]): number =>
  proposals.reduce((total, proposal) => total + unitsOf(proposal), 0);

/** Proposals that go together, so that the limits of their group hold after each. */
interface Block {
  readonly proposals: readonly number[];
  readonly units: number;
  /** Of its mean unit. */
  readonly price: number;
}

/** A group in the ranking. */
class Line {
  readonly id: string;
  readonly taken: Proposal[] = [];
  readonly #proposals: readonly Proposal[];
  readonly #isTaken: Uint8Array;
  readonly #limits: Limits;
  readonly #scale: number;
  #left: number;
  #mayEmpty: boolean;
  #first = 0;
  #block: Block | undefined;

  constructor({ id, left, proposals }: Candidates, { limits, comparable, mayEmpty }: Question) {
    this.id = id;
    this.#proposals = proposals;
    this.#isTaken = new Uint8Array(proposals.length);
    this.#limits = limits;
    this.#scale = comparable ? 1 : scaleOf(proposals);
    this.#left = left;
    this.#mayEmpty = mayEmpty !== undefined;
    this.#block = this.#find(Number.POSITIVE_INFINITY);
  }

  get left(): number {
    return this.#left;
  }

  /** What goes next of at most so many units. */
  next(room: number): Block | undefined {
    // there is ever less room
    if (this.#block && this.#block.units > room) this.#block = this.#find(room);
    return this.#block;
  }

  take({ proposals, units }: Block, room: number): void {
    for (const index of proposals) {
      this.#isTaken[index] = 1;
      this.taken.push(this.#proposals[index]!);
    }
    while (this.#isTaken[this.#first]) this.#first++;
    this.#left -= units;
    this.#block = this.#find(room);
  }

  mustStay(room: number): void {
    this.#mayEmpty = false;
    this.#block = this.#find(room);
  }

  /** The first proposals after which the limits hold, without those that are too large. */
  #find(room: number): Block | undefined {
    const found: number[] = [];
    const least = this.#mayEmpty ? 0 : leastOf(this.#limits);
    let [units, price] = [0, 0];
    for (let i = this.#first; i < this.#proposals.length && units < room; i++) {
      const size = unitsOf(this.#proposals[i]!);
      // of two units that go together, a budget for one takes none
      if (this.#isTaken[i] || units + size > room || this.#left - units - size < least) continue;
      found.push(i);
      units += size;
      price += size * priceOf(this.#proposals[i]!);
      const left = this.#left - units;
      if (mayLeave(this.#limits, left) || (left === 0 && this.#mayEmpty)) {
        return { proposals: found, units, price: price / units / this.#scale };
      }
    }
    return undefined;
  }
}

/**
 * What goes of groups that are ranked together: always the cheapest next, of one group or another, while the budget has
 * room for it. A group gives its proposals in their order; where its limits say so, several at once.
 */
export function take(question: Question): Answer {
  const { pool, wanted, limits } = question;
  const { lines, spared } = rank(question);
  // what would go if one unit had to stay, and no more
  const free = leastOf(limits) > 1 ? rank({ ...question, limits: {} }).lines : lines;
  const goes = lines.map(({ taken }) => totalUnits(taken));
  const would = free.map(({ taken }) => totalUnits(taken));
  const notes: string[] = [];
  const offered = sumOf(pool.map(({ proposals }) => totalUnits(proposals)));
  const should = wanted ?? offered;
  if (sumOf(goes) < should) {
    const why =
      sumOf(goes) < sumOf(would)
        ? `${limitsText(limits)} must stay`
        : whyNoMore(
            free.map(({ left }) => left),
            offered < should ? offered : undefined,
          );
    notes.push(`${nameOf(pool)}: ${should} units should go, ${sumOf(goes)} do: ${why}`);
  }
  for (const [i, { id }] of pool.entries()) {
    if (pool.length === 1 || goes[i] === would[i]) continue;
    notes.push(`group '${id}': ${would[i]} units would go, ${goes[i]} do: ${limitsText(limits)} must stay`);
  }
  return { taken: takenOf(lines), notes, spared };
}

function rank(question: Question): { readonly lines: readonly Line[]; readonly spared: readonly string[] } {
  const lines = question.pool.map((candidates) => new Line(candidates, question));
  const spared: string[] = [];
  let room = question.wanted ?? Number.POSITIVE_INFINITY;
  for (let next = cheapest(lines, room); next; next = cheapest(lines, room)) {
    const { line, block } = next;
    if (block.units === line.left && !question.mayEmpty!(line.id, takenOf(lines))) {
      spared.push(line.id);
      line.mustStay(room);
      continue;
    }
    room -= block.units;
    line.take(block, room);
  }
  return { lines, spared };
}

function cheapest(
  lines: readonly Line[],
  room: number,
): { readonly line: Line; readonly block: Block } | undefined {
  let best: { readonly line: Line; readonly block: Block } | undefined;
  for (const line of lines) {
    const block = line.next(room);
    if (block && !(best && best.block.price <= block.price)) best = { line, block };
  }
  return best;
}

const takenOf = (lines: readonly Line[]): Taken => new Map(lines.map(({ id, taken }) => [id, taken]));

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);

function nameOf(pool: readonly Candidates[]): string {
  const names = pool.slice(0, 2).map(({ id }) => `'${id}'`);
  const more = pool.length > 2 ? ` and ${pool.length - 2} more` : '';
  return `group${pool.length > 1 ? 's' : ''} ${names.join(', ')}${more}`;
}

/** Why a budget could not be met, though no limits were set; `offered` if not enough was. */
function whyNoMore(left: readonly number[], offered: number | undefined): string {
  if (left.every((units) => units === 0)) return 'there are no more';
  if (left.every((units) => units <= 1))
    return left.length === 1 ? 'one unit must stay' : 'one of each must stay';
  return offered === undefined ? 'the rest go by twos' : `the pruner proposes ${offered}`;
}
