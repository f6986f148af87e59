import * as tf from '@tensorflow/tfjs-core';
import { type LayerVariable, layers } from '@tensorflow/tfjs-layers';
import type { Layer } from '../graph/rule.ts';

type Json = Record<string, unknown>;
interface Constraint {
  apply(weight: tf.Tensor): tf.Tensor;
}
/** What a variable has no public way to. */
interface Constrained {
  constraint: Constraint | null;
}

/**
 * Gives a layer's twin the constraint of one of its weights, unless what was cut breaks it: TensorFlow.js applies
 * constraints when weights are loaded, not in training, and would then change what the smaller model computes.
 */
export function carryConstraint(from: LayerVariable, twin: Layer, to: LayerVariable): void {
  const { constraint } = from as unknown as Constrained;
  const held = to as unknown as Constrained;
  if (!constraint || !breaks(to, constraint)) {
    held.constraint = constraint;
    return;
  }
  held.constraint = null;
  forget(twin, constraint);
}

const breaks = (variable: LayerVariable, constraint: Constraint): boolean =>
  tf.tidy(() => {
    const [given, held] = [variable.read(), constraint.apply(variable.read())];
    // beyond what rounding makes of a norm
    const off = tf.max(tf.abs(tf.sub(given, held))).dataSync()[0]!;
    return off > 1e-6 * tf.max(tf.abs(given)).dataSync()[0]!;
  });

/** So that the layer's config does not name it, nor that of a cell in it. */
function forget(layer: Layer, constraint: Constraint): void {
  const fields = layer as unknown as Json;
  for (const [field, value] of Object.entries(fields)) {
    if (value === constraint) fields[field] = null;
    else if (value instanceof layers.Layer) forget(value, constraint);
  }
}
