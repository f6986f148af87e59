import type { JointPruner, Proposal, Pruner } from '../pruner.ts';

/** Which criteria judge together. */
export interface ByRankArgs {
  /** Score pruners, pair pruners, or others made by `byRank`. */
  readonly pruners: readonly Pruner[];
  /** How much the rank by each of `pruners` counts. Default: all alike. */
  readonly weights?: readonly number[];
}

/**
 * Judges a unit by several criteria in one pass: by the mean of its ranks, whatever their scores measure.
 *
 * Pruner m ranks the n units of a group from r_m = 0 (the first to go) to 1: by its place among the n, divided by
 * n - 1; units of one score share the mean of their places, and those that a pair pruner does not propose share the
 * last ones. With weights a_m, a unit's score is sum(a_m r_m) / sum(a_m), so a `threshold` is a mean rank, too.
 *
 * - Proposed is what any of the pruners proposes: all units if one of them gives scores.
 * - A partner that takes over outgoing weights (`into`) is kept, of the first pruner that names one. It can't go
 *   itself in the same pruning, unless its own rank is the lower: then nobody takes over from the other.
 * - Two that go together (`also`) still do, with the mean of both their ranks.
 *
 * Each pruner gathers only the evidence that it needs itself.
 *
 * @throws if there are no pruners, or the weights don't fit them.
 */
export const byRank = ({ pruners, weights = pruners.map(() => 1) }: ByRankArgs): JointPruner => {
  if (pruners.length === 0)
    throw new Error('[core] byRank has no pruners: byRank({ pruners: [angle(), badness()] })');
  if (weights.length !== pruners.length || weights.some((weight) => !(weight > 0))) {
    throw new Error(
      `[core] byRank needs a weight above 0 for each of its ${pruners.length} pruners, got ${weights.join(', ')}`,
    );
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    name: `by-rank(${pruners.map(({ name }) => name).join(', ')})`,
    needs: [...new Set(pruners.flatMap(({ needs }) => needs ?? []))],
    members: pruners,
    merge(judgements, units) {
      const ranks = judgements.map((judgement) => ranksOf(judgement, units));
      const rankOf = (unit: number) =>
        ranks.reduce((sum, ranked, member) => sum + weights[member]! * ranked[unit]!, 0) / total;
      return disjoint(candidatesOf(judgements, rankOf), judgements);
    },
  };
};

const unitsOf = ({ unit, also }: Proposal): number[] => (also === undefined ? [unit] : [unit, also]);

/** Each unit's rank by one judgement, 0 (goes first) to 1. */
function ranksOf(judgement: readonly Proposal[], units: number): number[] {
  const ties: number[][] = [];
  judgement.forEach((proposal, i) => {
    if (proposal.score === judgement[i - 1]?.score) ties.at(-1)!.push(...unitsOf(proposal));
    else ties.push(unitsOf(proposal));
  });
  const named = new Set(ties.flat());
  ties.push(Array.from({ length: units }, (_, unit) => unit).filter((unit) => !named.has(unit)));
  const ranks = new Array<number>(units);
  let place = 0;
  for (const tied of ties) {
    for (const unit of tied) ranks[unit] = (place + (tied.length - 1) / 2) / Math.max(1, units - 1);
    place += tied.length;
  }
  return ranks;
}

/** All units that someone proposes, alone or by twos, the lowest rank first. */
function candidatesOf(
  judgements: readonly (readonly Proposal[])[],
  rankOf: (unit: number) => number,
): Proposal[] {
  const proposals = judgements.flat();
  const twos = new Map<number, Proposal>();
  for (const { unit, also } of proposals) {
    if (also === undefined || twos.has(unit) || twos.has(also)) continue;
    const both = { unit, also, score: (rankOf(unit) + rankOf(also)) / 2 };
    twos.set(unit, both).set(also, both);
  }
  const named = [...new Set(proposals.flatMap(unitsOf))];
  const candidates = new Set(named.map((unit) => twos.get(unit) ?? { unit, score: rankOf(unit) }));
  return [...candidates].sort((a, b) => a.score - b.score || a.unit - b.unit);
}

/** The candidates with the partners that take over, each unit in one proposal. */
function disjoint(candidates: readonly Proposal[], judgements: readonly (readonly Proposal[])[]): Proposal[] {
  const partners = new Map<number, number[]>();
  for (const { unit, into } of judgements.flat()) {
    if (into !== undefined) partners.set(unit, [...(partners.get(unit) ?? []), into]);
  }
  const taken = new Set<number>();
  return candidates.flatMap((candidate): Proposal[] => {
    if (unitsOf(candidate).some((unit) => taken.has(unit))) return [];
    for (const unit of unitsOf(candidate)) taken.add(unit);
    if (candidate.also !== undefined) return [candidate];
    const into = partners.get(candidate.unit)?.find((partner) => !taken.has(partner));
    if (into === undefined) return [candidate];
    taken.add(into);
    return [{ ...candidate, into }];
  });
}
