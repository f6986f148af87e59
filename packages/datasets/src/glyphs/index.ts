export type { Dataset, Part, Parts, PartTensors } from '../dataset.ts';
export { take, toTensors } from '../dataset.ts';
export type { Split, SplitOptions } from '../tabular.ts';
export { featureNames, glyphFeatures } from './features.ts';
export { type GlyphsOptions, glyphs } from './glyphs.ts';
