import type { Judgement } from '../evidence/judgement.ts';
import type { Pruner } from '../pruner.ts';

/** How far two judgements may be apart where rounding may differ, as a share of the largest score. */
const TOLERANCE = 1e-4;

/** @throws if it is not the very same judgement. */
export function expectSame(pruner: Pruner, when: string, expected: Judgement, actual: Judgement): void {
  const same = (a: Judgement[number], b: Judgement[number] | undefined) =>
    a.unit === b?.unit && a.into === b.into && a.also === b.also && a.score === b.score;
  if (expected.length !== actual.length || !expected.every((proposal, i) => same(proposal, actual[i]))) {
    fail(pruner, `${when}, it answers ${show(actual)} instead of ${show(expected)}`);
  }
}

/** The same proposals with nearly the same scores; in whatever order, for scores may tie. */
export function expectClose(pruner: Pruner, when: string, expected: Judgement, actual: Judgement): void {
  // of two units that go together, either may be named first
  const key = ({ unit, into, also = unit }: Judgement[number]) =>
    `${Math.min(unit, also)} and ${Math.max(unit, also)} into ${into}`;
  const scores = new Map(actual.map((proposal) => [key(proposal), proposal.score]));
  const margin = TOLERANCE * expected.reduce((most, { score }) => Math.max(most, Math.abs(score)), 0);
  const isThere = (proposal: Judgement[number]) =>
    Math.abs((scores.get(key(proposal)) ?? Number.NaN) - proposal.score) <= margin;
  if (expected.length !== actual.length || !expected.every(isThere)) {
    fail(pruner, `${when}, it answers ${show(actual)} instead of ${show(expected)}`);
  }
}

const show = (judgement: Judgement): string =>
  `[${judgement.map(({ unit, into, also, score }) => `${unit}${into === undefined ? '' : ` into ${into}`}${also === undefined ? '' : ` and ${also}`}: ${score}`).join(', ')}]`;

/** @throws always: says what is wrong with a pruner. */
export function fail({ name }: Pruner, what: string): never {
  throw new Error(`[${name}] ${what}.`);
}
