import type { Proposal, Pruner } from '../pruner.ts';

/** The values that a pruner's judgement of one group comes to. The best to remove comes first. */
export type Judgement = readonly Proposal[];

/** A judgement; of some criteria another one where it is known how many units will go. */
export type Judge = (leaving?: number) => Judgement;

/** The judgement that scores come to: all units, of equal ones the first. */
export const lowestFirst = (scores: ArrayLike<number>): Judgement =>
  Array.from(scores, (score, unit) => ({ unit, score })).sort((a, b) => a.score - b.score || a.unit - b.unit);

/** @throws if proposals name a unit that is not there, or one twice, or have a number that is not finite. */
export function checkProposals(
  { name }: Pick<Pruner, 'name'>,
  hook: string,
  proposals: readonly Proposal[],
  units: number,
): void {
  const used = new Set<number>();
  const isUnit = (n: number) => Number.isInteger(n) && n >= 0 && n < units;
  for (const { unit, into, also, score, price = score } of proposals) {
    const named = [unit, into, also].filter((one) => one !== undefined);
    const unknown = named.find((one) => !isUnit(one));
    if (unknown !== undefined) {
      throw new Error(`[${name}] ${hook} named unit ${unknown}, but there are units 0 to ${units - 1}`);
    }
    if (!Number.isFinite(score)) throw new Error(`[${name}] ${hook} gave unit ${unit} the score ${score}`);
    if (!Number.isFinite(price)) throw new Error(`[${name}] ${hook} gave unit ${unit} the price ${price}`);
    for (const one of named) {
      if (used.has(one))
        throw new Error(`[${name}] ${hook} named unit ${one} twice: a unit stands in one proposal`);
      used.add(one);
    }
  }
}
