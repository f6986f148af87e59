export { type CsvOptions, csv } from './csv.ts';
export type { Dataset, Part, Parts, PartTensors } from './dataset.ts';
export { take, toTensors } from './dataset.ts';
export {
  type DatasetEntry,
  type DatasetName,
  type DatasetOptions,
  datasets,
  type FallbackOptions,
  loadDataset,
} from './datasets.ts';
export { DatasetChecksumError, DatasetUnavailableError } from './errors.ts';
export { featureNames, type GlyphsOptions, glyphFeatures, glyphs } from './glyphs/index.ts';
export { type LettersOptions, letters } from './letters.ts';
export { type MnistOptions, mnist } from './mnist.ts';
export type { DataFile, SourceOptions } from './source.ts';
export type { Split, SplitOptions } from './tabular.ts';
