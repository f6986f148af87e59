export type { Dataset, Part, Parts, PartTensors } from './dataset.ts';
export { take, toTensors } from './dataset.ts';
export { DatasetChecksumError, DatasetUnavailableError } from './errors.ts';
export { type LettersOptions, letters } from './letters.ts';
export { type MnistOptions, mnist } from './mnist.ts';
export type { DataFile, SourceOptions } from './source.ts';
export type { Split, SplitOptions } from './tabular.ts';
