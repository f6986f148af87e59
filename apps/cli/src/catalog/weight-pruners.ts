import type { CalibrationData, WeightPruning } from '@espalier/core';
import { magnitudeWeights } from '@espalier/pruner-magnitude';
import { netTrim } from '@espalier/pruner-nettrim';
import { z } from 'zod';
import { choice } from '../config/strict.ts';

/** A pruner of single weights by name. */
export interface WeightPrunerEntry {
  readonly criterion: string;
  readonly paper: string;
  /** What it takes, and how far it goes. */
  readonly options: z.ZodRawShape;
  /** @throws if an option makes no sense. */
  make(options: Readonly<Record<string, unknown>>, data: CalibrationData): WeightPruning;
}

export type WeightPrunerName = 'nettrim' | 'magnitude';

/** An entry whose factory takes what its options hold. */
const entry = <Shape extends z.ZodRawShape>({
  make,
  ...about
}: Omit<WeightPrunerEntry, 'options' | 'make'> & {
  readonly options: Shape;
  make(options: z.infer<z.ZodObject<Shape>>, data: CalibrationData): WeightPruning;
}): WeightPrunerEntry => ({
  ...about,
  make: (given, data) => make(given as z.infer<z.ZodObject<Shape>>, data),
});

const share = z
  .number({
    error: ({ input }) => (input === undefined ? 'Give a number above 0 and below 1, like 0.9' : undefined),
  })
  .gt(0)
  .lt(1);

export const weightPruners: Readonly<Record<WeightPrunerName, WeightPrunerEntry>> = {
  nettrim: entry({
    criterion: 'the sparsest weights by which a layer’s outputs stay what they were',
    paper: 'Aghasi et al. 2017',
    options: {
      epsilon: share
        .exactOptional()
        .describe('how far a layer’s outputs may be from what they were, as a share (default: 0.1)'),
      form: choice(['parallel', 'cascade'])
        .exactOptional()
        .describe('whether a layer goes by what it read, or by what the pruned ones before it leave'),
      patterns: z.int().min(1).exactOptional().describe('the most patterns that a layer is solved by'),
      iterations: z.int().min(1).exactOptional().describe('the most rounds of the search'),
      refit: z.boolean().exactOptional().describe('whether the weights that are left are fitted anew'),
    },
    make: (options, data) => ({ pruner: netTrim(options), data }),
  }),
  magnitude: entry({
    criterion: 'the weights nearest to 0 go',
    paper: 'Han et al. 2015',
    options: {
      fraction: share.describe('how far: this share of the weights'),
      ranking: choice(['local', 'global'])
        .exactOptional()
        .describe('that share of each layer (default), or of all together'),
    },
    make: (options) => ({ pruner: magnitudeWeights(), ...options }),
  }),
};

export const weightPrunerNames: readonly WeightPrunerName[] = Object.keys(
  weightPruners,
) as WeightPrunerName[];
