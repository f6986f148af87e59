export { type CarriedOut, carryOut } from './carry-out.ts';
export { checkTraining } from './check-training.ts';
export { disposeModel } from './dispose.ts';
export type { Distillation } from './distillation.ts';
export type { EarlyStopping, StoppingState } from './early-stopping.ts';
export { type Evaluation, type Examples, evaluate, measureLatency } from './evaluate.ts';
export { describeModel, endEvent, pruneEvent, startEvent, withoutLayers } from './events.ts';
export { cosineRate, type LearningRate } from './learning-rate.ts';
export { type FloorOptions, type LatencyOptions, planToFloor, planToLatency } from './measured-plans.ts';
export { type NoiseCurve, type NoiseCurvesArgs, noiseCurves } from './noise-curves.ts';
export type { PhaseState, TrainPruning } from './phase.ts';
export type * from './record.ts';
export { type RemoveLayersOptions, type RemoveLayersResult, removeLayers } from './remove-layers.ts';
export { checkRestart, type RestartOptions, type RestartResult, restart } from './restart.ts';
export { type SweepOptions, sweep } from './sweep.ts';
export {
  type TrainingData,
  type TrainOptions,
  type TrainResult,
  type TrainState,
  train,
} from './train.ts';
