import { addOutgoing, type Compensation, foldMean, leastSquares, none, type Pruner } from '@espalier/core';
import { angle } from '@espalier/pruner-angle';
import { apoz } from '@espalier/pruner-apoz';
import { badness } from '@espalier/pruner-badness';
import { clustering } from '@espalier/pruner-clustering';
import { contribution } from '@espalier/pruner-contribution';
import { geometricMedian, magnitude } from '@espalier/pruner-magnitude';
import { nisp } from '@espalier/pruner-nisp';
import { random } from '@espalier/pruner-random';
import { reconstruction } from '@espalier/pruner-reconstruction';
import { relevance } from '@espalier/pruner-relevance';
import { fisher, taylor } from '@espalier/pruner-taylor';

/** Who judges a net that is trained; those that must see it train are not among them. */
export const criteria: Readonly<Record<string, (seed: number) => Pruner>> = {
  reconstruction: () => reconstruction(),
  relevance: () => relevance({ order: 2 }),
  contribution: () => contribution(),
  angle: () => angle(),
  taylor: () => taylor(),
  fisher: () => fisher(),
  apoz: () => apoz(),
  magnitude: () => magnitude(),
  'geometric-median': () => geometricMedian(),
  clustering: (seed) => clustering({ seed }),
  nisp: () => nisp(),
  badness: () => badness(),
  random: (seed) => random({ seed }),
};

/** What the survivors take over; `refit` is `leastSquares`. */
export const compensations: Readonly<Record<string, () => Compensation>> = {
  refit: leastSquares,
  mean: foldMean,
  none,
  add: addOutgoing,
};

export interface Method {
  readonly criterion: string;
  readonly compensation: string;
}

/** Every criterion with every compensation that it can have: partners take over only from those who name them. */
export const methods: readonly Method[] = Object.keys(criteria).flatMap((criterion) =>
  Object.keys(compensations).flatMap((compensation) =>
    compensation === 'add' && criterion !== 'angle' ? [] : [{ criterion, compensation }],
  ),
);

export const nameOf = ({ criterion, compensation }: Method): string => `${criterion}-${compensation}`;
