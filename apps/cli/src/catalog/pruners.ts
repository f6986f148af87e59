import type { Pruner } from '@espalier/core';
import { angle } from '@espalier/pruner-angle';
import { random } from '@espalier/pruner-random';

/** The pruners' own options. */
export interface PrunerOptions {
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

export type PrunerName = 'angle' | 'random';

export const pruners: Readonly<Record<PrunerName, PrunerEntry>> = {
  angle: {
    criterion: 'pairs of units whose activations point the same way, or opposite ways',
    paper: 'Gedeon, Harris 1991; Sui 2018',
    options: ['lower', 'upper', 'complementary'],
    make: (options) => angle(options),
  },
  random: {
    criterion: 'a seeded random score: the baseline to beat',
    paper: '',
    options: [],
    make: (_, seed) => random({ seed }),
  },
};

export const prunerNames: readonly PrunerName[] = Object.keys(pruners) as PrunerName[];
