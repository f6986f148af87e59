import { registerChainedOps } from './chained-ops.ts';

registerChainedOps();

export type { EngineCandidate, EngineComparison, EngineName, EngineReport, UseEngineArgs } from './choose.ts';
export { findEngines, useEngine } from './engine.ts';
export { type Description, readDescription } from './io/description.ts';
export { makeFolder } from './io/folder.ts';
export { loadModel } from './io/load.ts';
export { type Quantization, quantizations } from './io/quantize.ts';
export { removeWeights, type SavedModel, type SaveModelArgs, savedModel, saveModel } from './io/save.ts';
export { registerTrainingKernels } from './kernels/index.ts';
export { fuseOptimizers } from './optimizers/index.ts';
