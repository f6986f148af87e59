import type { Pruner } from '@espalier/core';
import { angle } from '@espalier/pruner-angle';
import { badness } from '@espalier/pruner-badness';
import { type ContributionArgs, contribution } from '@espalier/pruner-contribution';
import { random } from '@espalier/pruner-random';
import { type RelevanceArgs, relevance } from '@espalier/pruner-relevance';
import {
  type SensitivityArgs,
  type StepAngleArgs,
  sensitivity,
  stepAngle,
} from '@espalier/pruner-sensitivity';

/** The pruners' own options. */
export interface PrunerOptions extends SensitivityArgs, StepAngleArgs, RelevanceArgs, ContributionArgs {
  readonly lower?: number;
  readonly upper?: number;
  readonly complementary?: 'add' | 'remove';
}

/** A pruner by name. */
export interface PrunerEntry {
  readonly criterion: string;
  readonly paper: string;
  /** Which of the pruners' own options it takes. */
  readonly options: readonly (keyof PrunerOptions)[];
  /** @throws if an option makes no sense. */
  make(options: PrunerOptions, seed: number): Pruner;
}

export type PrunerName =
  | 'angle'
  | 'sensitivity'
  | 'step-angle'
  | 'badness'
  | 'relevance'
  | 'contribution'
  | 'random';

export const pruners: Readonly<Record<PrunerName, PrunerEntry>> = {
  angle: {
    criterion: 'pairs of units whose activations point the same way, or opposite ways',
    paper: 'Gedeon, Harris 1991; Sui 2018',
    options: ['lower', 'upper', 'complementary'],
    make: (options) => angle(options),
  },
  sensitivity: {
    criterion: 'weights without which the loss would hardly grow, by the updates of the training',
    paper: 'Karnin 1990; Singh 2018',
    options: ['of', 'aggregate'],
    make: (options) => sensitivity(options),
  },
  'step-angle': {
    criterion: 'units that have stopped learning: their weights hardly turn',
    paper: 'Singh 2018, future work',
    options: ['since'],
    make: (options) => stepAngle(options),
  },
  badness: {
    criterion: 'units to which the largest errors are sent back',
    paper: 'Hagiwara 1990',
    options: [],
    make: () => badness(),
  },
  relevance: {
    criterion: 'units without which the loss would grow least, by its slope as they are shut off',
    paper: 'Mozer, Smolensky 1989',
    options: ['order'],
    make: (options) => relevance(options),
  },
  contribution: {
    criterion: 'units that put little into what reads them: activation times outgoing weight',
    paper: 'Sanger 1989',
    options: ['measure'],
    make: (options) => contribution(options),
  },
  random: {
    criterion: 'a seeded random score: the baseline to beat',
    paper: '',
    options: [],
    make: (_, seed) => random({ seed }),
  },
};

export const prunerNames: readonly PrunerName[] = Object.keys(pruners) as PrunerName[];
