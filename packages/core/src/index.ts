export type * from './pruner.ts';
