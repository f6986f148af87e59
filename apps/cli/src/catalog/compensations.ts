import { addOutgoing, type Compensation, foldMean, leastSquares, none, scaleOutgoing } from '@espalier/core';

export type CompensationName = 'none' | 'add' | 'scale' | 'mean' | 'least-squares' | 'weighted-least-squares';

/** What the survivors take over, by name. */
export const compensations: Readonly<Record<CompensationName, () => Compensation>> = {
  none,
  add: addOutgoing,
  scale: scaleOutgoing,
  mean: foldMean,
  'least-squares': leastSquares,
  'weighted-least-squares': () => leastSquares({ weighted: true }),
};

export const compensationNames: readonly CompensationName[] = Object.keys(
  compensations,
) as CompensationName[];
