import type { Maker } from '../builder.ts';
import * as convolution from './convolution.ts';
import * as dense from './dense.ts';
import * as merge from './merge.ts';
import * as nested from './nested.ts';
import * as recurrent from './recurrent.ts';

export type Operation =
  | keyof typeof convolution
  | keyof typeof dense
  | keyof typeof merge
  | keyof typeof nested
  | keyof typeof recurrent;

/** All kinds of steps, by name. */
export const makers: Readonly<Record<Operation, Maker>> = {
  ...dense,
  ...convolution,
  ...merge,
  ...recurrent,
  ...nested,
};
