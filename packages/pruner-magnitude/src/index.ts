export { geometricMedian } from './geometric-median.ts';
export { type MagnitudeArgs, magnitude } from './magnitude.ts';
export { slimming } from './slimming.ts';
export { magnitudeWeights } from './weights.ts';
