import { constraints, layers, regularizers } from '@tensorflow/tfjs-layers';
import type { Layer } from '../../graph/rule.ts';
import { Subtract } from '../layers.ts';

const activations = ['linear', 'relu', 'tanh', 'elu'] as const;
export const activationOf = (option: number): (typeof activations)[number] =>
  activations[option % activations.length]!;

/** What a layer's training is held to; by the constraints a cut kernel stays as it is. */
export const heldBy = (option: number): Record<string, unknown> =>
  [
    {},
    {},
    {},
    { kernelConstraint: constraints.nonNeg(), kernelRegularizer: regularizers.l2({ l2: 0.01 }) },
    { kernelConstraint: constraints.maxNorm({ maxValue: 4, axis: 0 }), trainable: false },
  ][option % 5]!;

export const merger = (option: number, name: string): Layer => {
  const choices = [
    () => layers.add({ name }),
    () => new Subtract({ name }),
    () => layers.multiply({ name }),
    () => layers.average({ name }),
    () => layers.maximum({ name }),
    () => layers.minimum({ name }),
  ];
  return choices[option % choices.length]!();
};
