import { addOutgoing, type Compensation, leastSquares, none, type Pruner } from '@espalier/core';
import { angle } from '@espalier/pruner-angle';
import { magnitude } from '@espalier/pruner-magnitude';
import { nisp } from '@espalier/pruner-nisp';
import { random } from '@espalier/pruner-random';
import { reconstruction } from '@espalier/pruner-reconstruction';
import { relevance } from '@espalier/pruner-relevance';
import { taylor } from '@espalier/pruner-taylor';

/** Who judges, and what the survivors take over. */
export interface Method {
  readonly pruner: (seed: number) => Pruner;
  readonly compensation: () => Compensation;
}

/** The whole net, in the place of a method. */
export const UNPRUNED = 'unpruned';

/** Who judges where no unit goes. */
export const nobody: Method = { pruner: () => random(), compensation: none };

/** The methods by name. `refit` is `leastSquares`. */
export const methods: Readonly<Record<string, Method>> = {
  'angle-add': { pruner: () => angle(), compensation: addOutgoing },
  'angle-refit': { pruner: () => angle(), compensation: leastSquares },
  'reconstruction-refit': { pruner: () => reconstruction(), compensation: leastSquares },
  'relevance-refit': { pruner: () => relevance({ order: 2 }), compensation: leastSquares },
  'taylor-refit': { pruner: () => taylor(), compensation: leastSquares },
  'nisp-refit': { pruner: () => nisp(), compensation: leastSquares },
  'magnitude-refit': { pruner: () => magnitude({ norm: 'l2', of: 'outgoing' }), compensation: leastSquares },
  'random-refit': { pruner: (seed) => random({ seed }), compensation: leastSquares },
  'random-none': { pruner: (seed) => random({ seed }), compensation: none },
};

/** Criteria that are called by their initials. */
const initials: ReadonlySet<string> = new Set(['nisp']);

/** `angle-refit` as a table has it: `Angle, refit`. */
export const titleOf = (name: string): string => {
  const [first = '', ...rest] = name.split('-');
  const title = first.slice(0, initials.has(first) ? undefined : 1).toUpperCase();
  return [title + first.slice(title.length), ...rest].join(', ').replace(', none', '');
};
