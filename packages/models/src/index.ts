export type { Activation } from './layers.ts';
export { activations } from './layers.ts';
export { type LenetArgs, lenet } from './lenet.ts';
export { type MlpArgs, mlp } from './mlp.ts';
export { type BuildOptions, buildModel, type ModelEntry, type ModelName, models } from './models.ts';
