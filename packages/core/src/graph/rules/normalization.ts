import * as tf from '@tensorflow/tfjs-core';
import { spread, varyingAxes } from '../labels.ts';
import { type LayerRule, registerLayer } from '../rule.ts';
import { along as axisAlong, axisAt } from './shared.ts';

/** Four vectors along one axis. */
const batchNormalization: LayerRule = {
  pointwise: true,
  trace({ layer, config, inputs, along, markInexact }) {
    const { shape, dims } = inputs[0]!;
    const axis = axisAt(config.axis as number, shape.length);
    if (shape.slice(axis + 1).some((n) => n > 1)) markInexact(inputs[0]!, notLast(layer.name));
    // normalised along an axis of positions: units have no part of the vectors
    if (dims[axis] === 1 && varyingAxes(inputs[0]!).length > 0) return { outputs: inputs };
    const labels = along(inputs[0]!, axis);
    const vector = { axes: [axisAlong(labels)] };
    return {
      outputs: [spread(labels, shape, axis)],
      weights: { gamma: vector, beta: vector, moving_mean: vector, moving_variance: vector },
      adds: 'beta',
      takesOff: 'moving_mean',
      scales: 'gamma',
      gain: {
        labels,
        of(weight) {
          const deviation = tf.sqrt(tf.add(weight('moving_variance')!, config.epsilon as number));
          return tf.div(weight('gamma') ?? 1, deviation);
        },
      },
    };
  },
};

/** They repeat the vectors value by value, whichever axis they belong to. */
const notLast = (name: string) =>
  `${name} normalises along another axis than the last, which TensorFlow.js gets wrong on its cpu and wasm ` +
  'engines: use channels last';

/** A mean and a variance over some axes, and two weights of the shape of these axes. */
const layerNormalization: LayerRule = {
  trace({ layer, config, inputs, along, markInexact }) {
    const { shape } = inputs[0]!;
    const axes = [config.axis as number | number[]].flat().map((axis) => axisAt(axis, shape.length));
    const axis = varyingAxes(inputs[0]!).findLast((one) => axes.includes(one));
    // each unit by itself, over its positions
    if (axis === undefined) return { outputs: inputs };
    const labels = along(inputs[0]!, axis);
    const output = spread(labels, shape, axis);
    markInexact(
      output,
      `${layer.name} takes the mean and variance of all units, also of those that are gone`,
    );
    const vector = { axes: axes.map((one) => (one === axis ? axisAlong(labels) : null)) };
    return { outputs: [output], weights: { gamma: vector, beta: vector } };
  },
};

registerLayer('BatchNormalization', batchNormalization);
registerLayer('LayerNormalization', layerNormalization);
