export type { EarlyStopping } from './early-stopping.ts';
export { type Evaluation, type Examples, evaluate, measureLatency } from './evaluate.ts';
export { describeModel, endEvent, pruneEvent, startEvent } from './events.ts';
export type * from './record.ts';
export { withSeed } from './seed.ts';
export { type SweepOptions, sweep } from './sweep.ts';
export {
  type TrainingData,
  type TrainOptions,
  type TrainPruning,
  type TrainResult,
  type TrainState,
  train,
} from './train.ts';
