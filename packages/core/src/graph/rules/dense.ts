import { positionsOf, spread } from '../labels.ts';
import { type LayerRule, registerLayer } from '../rule.ts';
import { makes, reads, softmaxReason } from './shared.ts';

const dense: LayerRule = {
  trace({ layer, config, inputs, outputShapes, make, along, markInexact }) {
    const shape = outputShapes[0]!;
    const last = shape.length - 1;
    const units = make(shape[last]!);
    const output = spread(units, shape, last);
    if (config.activation === 'softmax') markInexact(output, softmaxReason(layer.name));
    return {
      outputs: [output],
      weights: {
        kernel: {
          axes: [reads(along(inputs[0]!, last)), makes(units)],
          uses: positionsOf(shape) / shape[last]!,
          contracts: config.useBias === false ? { inputAxis: last } : { inputAxis: last, bias: 'bias' },
        },
        bias: { axes: [makes(units)] },
      },
      config: (kept) => ({ units: kept(units).length }),
    };
  },
};

registerLayer('Dense', dense);
