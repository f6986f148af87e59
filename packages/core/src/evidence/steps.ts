import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';

/** One variable in one step of the optimizer, as it is seen before and while that happens, and after it if that is kept. */
export interface Step {
  readonly variable: LayerVariable;
  readonly before: tf.Tensor;
  readonly gradient: tf.Tensor | undefined;
  after?: tf.Tensor;
}

/** One step of the optimizer, by the names of the variables. */
export type Steps = Map<string, Step>;

/** What a variable is before a gradient is applied to it. */
export const stepOf = (variable: LayerVariable, gradient: tf.Tensor | null | undefined): Step => ({
  variable,
  before: copyOf(variable.read()),
  gradient: gradient ? copyOf(gradient) : undefined,
});

/** Writes down what the variables are now, before another step. */
export function keepAfter(steps: Steps): void {
  for (const step of steps.values()) step.after = copyOf(step.variable.read());
}

export function disposeSteps(steps: Steps): void {
  for (const step of steps.values()) disposeStep(step);
}

export function disposeStep({ before, gradient, after }: Step): void {
  before.dispose();
  gradient?.dispose();
  after?.dispose();
}

const copyOf = (tensor: tf.Tensor): tf.Tensor => tf.keep(tensor.clone());
