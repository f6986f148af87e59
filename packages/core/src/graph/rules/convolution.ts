import { positionsOf, spread } from '../labels.ts';
import { type LayerCall, type LayerRule, registerLayer } from '../rule.ts';
import * as axis from './shared.ts';

const CAUSAL =
  'has no causal convolution and fails when the model runs. Pad the start instead (reshape to a map, zeroPadding2d, ' +
  "reshape back) and convolve with padding 'valid'";
const PERMUTE = 'permute to channels last before it, and back behind it';
const SEQUENCE = `puts out the channels of a sequence last where they should be first: ${PERMUTE}`;
const BIAS = `adds the bias along another axis if the channels are first: ${PERMUTE}, or do without the bias`;

/** Kernel [...window, in, filters], or transposed [...window, filters, in]. */
const convolution = ({ transposed = false } = {}): LayerRule => ({
  trace(call) {
    const { layer, config, inputs, outputShapes, make, along } = call;
    const shape = outputShapes[0]!;
    if (config.padding === 'causal') refuse(call, CAUSAL);
    // the config of one in one dimension does without
    const { dataFormat } = layer as unknown as { readonly dataFormat: string };
    if (dataFormat === 'channelsFirst' && shape.length === 2) refuse(call, SEQUENCE);
    const channel = axis.channelAxis(call);
    const filters = make(shape[channel]!);
    const output = spread(filters, shape, channel);
    axis.markActivations(call, output);
    const window = shape.slice(1).map(() => null);
    const [read, made] = [axis.reads(along(inputs[0]!, channel)), axis.makes(filters)];
    // the windows stand at the output's positions, or at the input's if it is transposed
    const at = transposed ? inputs[0]!.shape : shape;
    return {
      outputs: [output],
      weights: {
        kernel: {
          axes: [...window, ...(transposed ? [made, read] : [read, made])],
          uses: positionsOf(at) / at[channel]!,
          contracts: config.useBias === false ? { inputAxis: channel } : { inputAxis: channel, bias: 'bias' },
        },
        bias: { axes: [made] },
      },
      ...axis.addsBias(call),
      config: (kept) => ({ filters: kept(filters).length }),
    };
  },
});

/** @throws always: analysis would not find what TensorFlow.js computes. */
function refuse({ layer }: LayerCall, fault: string): never {
  throw new Error(`[core] ${layer.name}: TensorFlow.js ${fault}`);
}

/** Kernel [...window, in, multiplier]: output channel `c * multiplier + m` belongs to input channel `c`. */
const depthwise: LayerRule = {
  trace(call) {
    const { inputs, outputShapes, along } = call;
    const shape = outputShapes[0]!;
    const channel = axis.channelAxis(call);
    const channels = along(inputs[0]!, channel);
    const repeated = axis.repeatEach(channels, shape[channel]! / channels.length);
    const output = spread(repeated, shape, channel);
    axis.markActivations(call, output);
    return {
      outputs: [output],
      weights: {
        depthwise_kernel: {
          axes: [null, null, axis.along(channels), null],
          uses: positionsOf(shape) / shape[channel]!,
        },
        bias: { axes: [axis.along(repeated)] },
      },
    };
  },
};

/** A depthwise convolution, then a pointwise one with kernel [1, 1, in * multiplier, filters]. */
const separable: LayerRule = {
  trace(call) {
    const { layer, config, inputs, outputShapes, make, along } = call;
    const shape = outputShapes[0]!;
    if (config.dataFormat === 'channelsFirst' && config.useBias !== false) refuse(call, BIAS);
    const channel = axis.channelAxis(call);
    const channels = along(inputs[0]!, channel);
    const filters = make(shape[channel]!);
    const output = spread(filters, shape, channel);
    axis.markActivations(call, output);
    const window = shape.slice(1).map(() => null);
    const { depthMultiplier } = layer as unknown as { readonly depthMultiplier: number };
    const uses = positionsOf(shape) / shape[channel]!;
    return {
      outputs: [output],
      weights: {
        depthwise_kernel: { axes: [...window, axis.along(channels), null], uses },
        pointwise_kernel: {
          axes: [...window, axis.reads(axis.repeatEach(channels, depthMultiplier)), axis.makes(filters)],
          uses,
        },
        bias: { axes: [axis.makes(filters)] },
      },
      // tfjs-layers leaves depthMultiplier out of this layer's config, so it would be rebuilt with 1
      config: (kept) => ({ filters: kept(filters).length, depthMultiplier }),
    };
  },
};

for (const className of ['Conv1D', 'Conv2D', 'Conv3D']) registerLayer(className, convolution());
for (const className of ['Conv2DTranspose', 'Conv3DTranspose']) {
  registerLayer(className, convolution({ transposed: true }));
}
registerLayer('DepthwiseConv2D', depthwise);
registerLayer('SeparableConv2D', separable);
registerLayer('SeparableConv', separable);
