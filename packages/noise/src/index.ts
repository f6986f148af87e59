export type { Noise, NoiseKind } from './kinds.ts';
export { type Levels, noiseKinds, noisesOf, unitOf } from './levels.ts';
export { addNoise, checkNoise, type NoiseArgs } from './noise.ts';
export { type InputRange, rangeOf } from './range.ts';
