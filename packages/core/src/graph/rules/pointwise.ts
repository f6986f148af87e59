import { spread } from '../labels.ts';
import { type LayerRule, registerLayer } from '../rule.ts';
import { along as axisAlong, softmaxReason } from './shared.ts';

/** Each value on its own: the labels pass as they are. */
const pointwise: LayerRule = { pointwise: true, trace: ({ inputs }) => ({ outputs: inputs }) };

const activation: LayerRule = {
  pointwise: true,
  trace({ layer, config, inputs, markInexact }) {
    if (config.activation === 'softmax') markInexact(inputs[0]!, softmaxReason(layer.name));
    return { outputs: inputs };
  },
};

const softmax: LayerRule = {
  trace({ layer, config, inputs, markInexact }) {
    const [input] = inputs;
    // the config's axis counts the batch
    const axis =
      typeof config.axis === 'number' && config.axis >= 0 ? config.axis - 1 : input!.shape.length - 1;
    if (input!.dims[axis] !== 1) markInexact(input!, softmaxReason(layer.name));
    return { outputs: inputs };
  },
};

/** Four vectors along one axis. */
const batchNormalization: LayerRule = {
  pointwise: true,
  trace({ config, inputs, along }) {
    const { shape, dims } = inputs[0]!;
    const axis = typeof config.axis === 'number' && config.axis >= 0 ? config.axis - 1 : shape.length - 1;
    // normalised along an axis of positions: units have no part of the vectors
    if (dims[axis] === 1 && dims.some((n) => n > 1)) return { outputs: inputs };
    const labels = along(inputs[0]!, axis);
    const vector = { axes: [axisAlong(labels)] };
    return {
      outputs: [spread(labels, shape, axis)],
      weights: { gamma: vector, beta: vector, moving_mean: vector, moving_variance: vector },
    };
  },
};

/** One slope for each position, or shared along some axes. */
const prelu: LayerRule = {
  pointwise: true,
  trace({ layer, inputs, along }) {
    const [input] = inputs;
    const varying = input!.dims.flatMap((n, a) => (n === 1 ? [] : [a]));
    const axis = varying.at(-1) ?? input!.shape.length - 1;
    const labels = along(input!, axis);
    const alpha = layer.weights[0]!.shape;
    return {
      outputs: [spread(labels, input!.shape, axis)],
      weights: { alpha: { axes: alpha.map((n, a) => (a === axis && n !== 1 ? axisAlong(labels) : null)) } },
    };
  },
};

for (const className of ['ReLU', 'LeakyReLU', 'ELU', 'ThresholdedReLU']) registerLayer(className, pointwise);
for (const className of ['Dropout', 'SpatialDropout1D', 'GaussianNoise', 'GaussianDropout', 'AlphaDropout']) {
  registerLayer(className, pointwise);
}
registerLayer('Activation', activation);
registerLayer('Softmax', softmax);
registerLayer('BatchNormalization', batchNormalization);
registerLayer('PReLU', prelu);
