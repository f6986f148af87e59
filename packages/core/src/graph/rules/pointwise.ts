import { spread } from '../labels.ts';
import { type LayerRule, registerLayer } from '../rule.ts';
import { along as axisAlong, axisAt, markActivations, softmaxReason } from './shared.ts';

/** Each value on its own: the labels pass as they are. */
const pointwise: LayerRule = { pointwise: true, trace: ({ inputs }) => ({ outputs: inputs }) };

const activation: LayerRule = {
  pointwise: true,
  trace(call) {
    markActivations(call, call.inputs[0]!);
    return { outputs: call.inputs };
  },
};

/** One scale and one offset, or one for each place on the last axis. */
const rescaling: LayerRule = {
  pointwise: true,
  trace({ config, inputs, along }) {
    const [input] = inputs;
    const last = input!.shape.length - 1;
    const vectors = Object.entries({ scale: config.scale, offset: config.offset }).filter(
      (entry): entry is [string, unknown[]] => Array.isArray(entry[1]) && entry[1].length > 1,
    );
    if (vectors.length === 0) return { outputs: inputs };
    const labels = along(input!, last);
    return {
      outputs: [spread(labels, input!.shape, last)],
      config: (kept) => {
        const staying = kept(labels);
        return Object.fromEntries(vectors.map(([field, values]) => [field, staying.map((i) => values[i])]));
      },
    };
  },
};

const softmax: LayerRule = {
  trace({ layer, config, inputs, markInexact }) {
    const [input] = inputs;
    const axes = [config.axis as number | number[]].flat();
    if (axes.some((axis) => input!.dims[axisAt(axis, input!.shape.length)] !== 1)) {
      markInexact(input!, softmaxReason(layer.name));
    }
    return { outputs: inputs };
  },
};

/** Silences the steps at which all units have one value. */
const masking: LayerRule = {
  pointwise: true,
  trace({ layer, inputs, markInexact }) {
    if (inputs[0]!.dims.at(-1) !== 1) {
      markInexact(inputs[0]!, `${layer.name} looks at all units to tell which steps to skip`);
    }
    return { outputs: inputs };
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
      // TensorFlow.js wants one shape at each call, even if they share one slope
      config: () => ({}),
    };
  },
};

for (const className of ['ReLU', 'LeakyReLU', 'ELU', 'ThresholdedReLU']) {
  registerLayer(className, pointwise);
}
for (const className of ['Dropout', 'SpatialDropout1D', 'GaussianNoise', 'GaussianDropout', 'AlphaDropout']) {
  registerLayer(className, pointwise);
}
registerLayer('Activation', activation);
registerLayer('Rescaling', rescaling);
registerLayer('Softmax', softmax);
registerLayer('Masking', masking);
registerLayer('PReLU', prelu);
