export { type HoldCallback, hold, type PruneCallback, type PruneOptions, prune } from './callback.ts';
export type { Moments } from './evidence/moments.ts';
export { faultsOf } from './faults.ts';
export {
  analyze,
  type Cost,
  type Graph,
  type Group,
  type GroupKind,
  type LayerSummary,
  type Member,
} from './graph/analyze.ts';
export type { Labels } from './graph/labels.ts';
export {
  type Contraction,
  type Gain,
  type InnerLayer,
  type Layer,
  type LayerCall,
  type LayerLabels,
  type LayerRule,
  type Observation,
  registerLayer,
  type WeightAxis,
  type WeightLabels,
} from './graph/rule.ts';
export { type NormalEquations, solveRidge } from './linear/ridge.ts';
export { lossFunctionsOf } from './model.ts';
export { Agenda } from './plan/agenda.ts';
export {
  type Budget,
  budgetAt,
  type CostBudget,
  type GroupStanding,
  type Standing,
  type UnitBudget,
} from './plan/budget.ts';
export { type ByRankArgs, byRank } from './plan/by-rank.ts';
export {
  type AddOutgoingArgs,
  addOutgoing,
  type Compensation,
  foldMean,
  none,
  type ReadUnits,
  type Removed,
  scaleOutgoing,
  type WeightChange,
} from './plan/compensation.ts';
export type { CalibrationData } from './plan/data.ts';
export { type JudgeOptions, judge, type Verdict } from './plan/judge.ts';
export { type LeastSquaresArgs, leastSquares } from './plan/least-squares.ts';
export type { Limits } from './plan/limits.ts';
export { type Planner, type PlanOptions, plan, planner } from './plan/plan.ts';
export type { Pruning } from './plan/pruning.ts';
export { type Ranking, rankings } from './plan/ranking.ts';
export { type Saving, savingsOf } from './plan/savings.ts';
export {
  type EveryEpochsArgs,
  everyEpochs,
  type OneShotArgs,
  oneShot,
  type PolynomialArgs,
  polynomial,
  type Schedule,
  type Step,
  type WhileAccuracyArgs,
  whileAccuracy,
} from './plan/schedule.ts';
export { parsePlan } from './plan/schema.ts';
export { groupsInScope, keptLayers, type Scope } from './plan/scope.ts';
export { standingOf } from './plan/standing.ts';
export type { Fold, Plan, PlannedGroup, Refit, UnitFold } from './plan/types.ts';
export type * from './pruner.ts';
export { ChannelBias, type ChannelBiasArgs } from './surgery/channel-bias.ts';
export { mask, maskedPlan } from './surgery/mask.ts';
export {
  type HiddenLayer,
  type RemoveLayerOptions,
  removableLayers,
  removeLayer,
} from './surgery/remove-layer.ts';
export { FeatureSelection, type FeatureSelectionArgs } from './surgery/selection.ts';
export { shrink } from './surgery/shrink.ts';
export { type SavedEvidence, type WatchCallback, watch } from './watch-callback.ts';
export {
  pruneWeights,
  type ScoredWeights,
  type SolvedWeights,
  type WeightPruning,
} from './weights/prune-weights.ts';
export type { WeightBudget } from './weights/score.ts';
export { holdZeros, type Sparsity, sparsityOf, type Zeros } from './weights/sparsity.ts';
export type * from './weights/weight-pruner.ts';
