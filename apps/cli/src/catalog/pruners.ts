import type { Pruner } from '@espalier/core';
import { angle, distinctiveness } from '@espalier/pruner-angle';
import { apoz } from '@espalier/pruner-apoz';
import { badness } from '@espalier/pruner-badness';
import { clustering } from '@espalier/pruner-clustering';
import { contribution } from '@espalier/pruner-contribution';
import { geometricMedian, magnitude, slimming } from '@espalier/pruner-magnitude';
import { nisp } from '@espalier/pruner-nisp';
import { random } from '@espalier/pruner-random';
import { reconstruction } from '@espalier/pruner-reconstruction';
import { relevance } from '@espalier/pruner-relevance';
import { sensitivity, stepAngle } from '@espalier/pruner-sensitivity';
import { fisher, taylor } from '@espalier/pruner-taylor';
import { z } from 'zod';
import { choice } from '../config/strict.ts';

/** A pruner by name. */
export interface PrunerEntry {
  readonly criterion: string;
  readonly paper: string;
  /** The options that are the pruner's own. */
  readonly options: z.ZodRawShape;
  /** @throws if an option makes no sense. */
  make(options: Readonly<Record<string, unknown>>, seed: number): Pruner;
}

export type PrunerName =
  | 'angle'
  | 'distinctiveness'
  | 'sensitivity'
  | 'step-angle'
  | 'badness'
  | 'relevance'
  | 'contribution'
  | 'reconstruction'
  | 'taylor'
  | 'fisher'
  | 'apoz'
  | 'magnitude'
  | 'slimming'
  | 'geometric-median'
  | 'clustering'
  | 'nisp'
  | 'random';

/** An entry whose factory takes what its options hold. */
const entry = <Shape extends z.ZodRawShape>({
  make,
  ...about
}: Omit<PrunerEntry, 'options' | 'make'> & {
  readonly options: Shape;
  make(options: z.infer<z.ZodObject<Shape>>, seed: number): Pruner;
}): PrunerEntry => ({
  ...about,
  make: (options, seed) => make(options as z.infer<z.ZodObject<Shape>>, seed),
});

export const pruners: Readonly<Record<PrunerName, PrunerEntry>> = {
  angle: entry({
    criterion: 'pairs of units whose activations point the same way, or opposite ways',
    paper: 'Gedeon, Harris 1991; Sui 2018',
    options: {
      lower: z.number().exactOptional().describe('degrees: pairs at a smaller angle are similar'),
      upper: z.number().exactOptional().describe('degrees: pairs at a larger angle are complementary'),
      complementary: choice(['add', 'remove']).exactOptional().describe('what becomes of such pairs'),
    },
    make: (options) => angle(options),
  }),
  distinctiveness: entry({
    criterion: 'angle at 15 and 165 degrees, and units that are constant',
    paper: 'Gedeon, Harris 1991',
    options: {
      lower: z.number().exactOptional().describe('degrees: pairs at a smaller angle are similar'),
      upper: z.number().exactOptional().describe('degrees: pairs at a larger angle are complementary'),
      constant: z
        .number()
        .exactOptional()
        .describe('how far apart a constant unit’s activations lie at most'),
    },
    make: (options) => distinctiveness(options),
  }),
  sensitivity: entry({
    criterion: 'weights without which the loss would hardly grow, by the updates of the training',
    paper: 'Karnin 1990; Singh 2018',
    options: {
      of: choice(['incoming', 'outgoing']).exactOptional().describe('which of a unit’s weights'),
      aggregate: choice(['sum', 'mean']).exactOptional().describe('over these weights'),
    },
    make: (options) => sensitivity(options),
  }),
  'step-angle': entry({
    criterion: 'units that have stopped learning: their weights hardly turn',
    paper: 'Singh 2018, future work',
    options: { since: choice(['epoch', 'step']).exactOptional().describe('how far back to look') },
    make: (options) => stepAngle(options),
  }),
  badness: entry({
    criterion: 'units to which the largest errors are sent back',
    paper: 'Hagiwara 1990',
    options: {},
    make: () => badness(),
  }),
  relevance: entry({
    criterion: 'units without which the loss would grow least, by its slope as they are shut off',
    paper: 'Mozer, Smolensky 1989',
    options: {
      order: z
        .union([z.literal(1), z.literal(2), z.literal('exact')], { error: "Use 1, 2 or 'exact'" })
        .exactOptional()
        .describe("2 looks at the bend of the loss, too; 'exact' shuts every unit off (small networks)"),
    },
    make: (options) => relevance(options),
  }),
  contribution: entry({
    criterion: 'units that put little into what reads them: activation times outgoing weight',
    paper: 'Sanger 1989',
    options: { measure: choice(['absolute', 'variance']).exactOptional().describe('of the contributions') },
    make: (options) => contribution(options),
  }),
  reconstruction: entry({
    criterion: 'units that the others can replace: least is lost once weights are refitted (least-squares)',
    paper: 'Hassibi, Stork 1993',
    options: { ridge: z.number().exactOptional().describe('added to variances, in units of their mean') },
    make: (options) => reconstruction(options),
  }),
  taylor: entry({
    criterion: 'units whose removal changes the loss least, up or down, by its slopes',
    paper: 'Molchanov et al. 2017, 2019',
    options: {
      per: choice(['pattern', 'all']).exactOptional().describe('what the absolute value is taken of'),
    },
    make: (options) => taylor(options),
  }),
  fisher: entry({
    criterion: 'units without which the loss would grow least, by its bend alone',
    paper: 'Theis et al. 2018',
    options: {},
    make: () => fisher(),
  }),
  apoz: entry({
    criterion: 'units that are zero on the most patterns',
    paper: 'Hu et al. 2016',
    options: {},
    make: () => apoz(),
  }),
  magnitude: entry({
    criterion: 'units with the smallest weights',
    paper: 'Li et al. 2017',
    options: {
      norm: choice(['l1', 'l2']).exactOptional().describe('absolute sum, or length'),
      of: choice(['incoming', 'outgoing']).exactOptional().describe('which of a unit’s weights'),
    },
    make: (options) => magnitude(options),
  }),
  slimming: entry({
    criterion: 'units that their BatchNormalization scales the least',
    paper: 'Liu et al. 2017',
    options: {},
    make: () => slimming(),
  }),
  'geometric-median': entry({
    criterion: 'units nearest to all others of their layer, by their weights',
    paper: 'He et al. 2019',
    options: {},
    make: () => geometricMedian(),
  }),
  clustering: entry({
    criterion: 'units like others: of each cluster (k-means++) of weights one stays',
    paper: 'Li et al. 2018',
    options: {},
    make: (_, seed) => clustering({ seed }),
  }),
  nisp: entry({
    criterion: 'units that the final response layer makes least use of, through absolute weights',
    paper: 'Yu et al. 2018',
    options: {
      last: choice(['inf-fs', 'outputs']).exactOptional().describe('what the last hidden layer is worth by'),
      alpha: z.number().exactOptional().describe('of inf-fs: spread against how little units are alike'),
    },
    make: (options) => nisp(options),
  }),
  random: entry({
    criterion: 'a seeded random score: the baseline to beat',
    paper: '',
    options: {},
    make: (_, seed) => random({ seed }),
  }),
};

export const prunerNames: readonly PrunerName[] = Object.keys(pruners) as PrunerName[];
