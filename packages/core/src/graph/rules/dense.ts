import { positionsOf, spread } from '../labels.ts';
import { type LayerRule, registerLayer } from '../rule.ts';
import { addsBias, makes, markActivations, reads } from './shared.ts';

const dense: LayerRule = {
  trace(call) {
    const { config, inputs, outputShapes, make, along } = call;
    const shape = outputShapes[0]!;
    const last = shape.length - 1;
    const units = make(shape[last]!);
    const output = spread(units, shape, last);
    markActivations(call, output);
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
      ...addsBias(call),
      config: (kept) => ({ units: kept(units).length }),
    };
  },
};

registerLayer('Dense', dense);
