import { addOutgoing, type Compensation, foldMean, none, scaleOutgoing } from '@espalier/core';

export type CompensationName = 'none' | 'add' | 'scale' | 'mean';

/** What the survivors take over, by name. */
export const compensations: Readonly<Record<CompensationName, () => Compensation>> = {
  none,
  add: addOutgoing,
  scale: scaleOutgoing,
  mean: foldMean,
};

export const compensationNames: readonly CompensationName[] = Object.keys(
  compensations,
) as CompensationName[];
