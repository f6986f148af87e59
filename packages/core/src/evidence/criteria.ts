import type {
  BackwardPruner,
  EliminationPruner,
  Evidence,
  Observer,
  PairPruner,
  Pruner,
  ScorePruner,
} from '../pruner.ts';

/** All that there is to ask for. */
export const evidenceFields: readonly Evidence[] = ['activations', 'errors', 'updates', 'losses'];

/** A pruner that is not made of others. */
export type Criterion = ScorePruner | PairPruner | EliminationPruner | BackwardPruner;

/** The criteria that a pruner is made of, itself if of no others. */
export const criteriaOf = (pruner: Pruner): readonly Criterion[] =>
  'members' in pruner ? pruner.members.flatMap(criteriaOf) : [pruner];

/** Whether units of the last groups are judged for the sake of others. */
export const goesBack = (pruner: Pruner): boolean =>
  criteriaOf(pruner).some((one) => 'pass' in one && one.last !== undefined);

/** Whether several batches may be shown as one. Losses are measured of one at a time. */
export const poolsBatches = ({ pools = false, needs = [] }: Observer): boolean =>
  pools && !needs.includes('losses');

/** Whether a pruner looks at the evidence of a group. */
export const looksAt = (pruner: Pruner, isLast: boolean): boolean =>
  criteriaOf(pruner).some((one) => one.onBatchEnd !== undefined && (isLast || !('pass' in one)));
