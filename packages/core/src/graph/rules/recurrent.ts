import { type Labels, positionsOf, spread, withAxis, withoutAxis } from '../labels.ts';
import { type Layer, type LayerCall, type LayerRule, registerLayer, ruleFor } from '../rule.ts';
import { channelAxis, makes, markActivations, reads, tile } from './shared.ts';

/**
 * One time step: [input, ...states] in, [output, ...states] out. Each unit has one column for each gate in the
 * kernel [...window, in, gates * units], the recurrent kernel [...window, units, gates * units] and the bias, and
 * stands on all states. Its rows in the recurrent kernel are what the other units read of it.
 */
const cell = (gates: number, states: number, field: 'units' | 'filters'): LayerRule => ({
  trace(call) {
    const { layer, config, inputs, outputShapes, make, along, unify } = call;
    const [input, ...given] = inputs;
    const shape = outputShapes[0]!;
    const channel = channelAxis(call);
    const units = make(shape[channel]!);
    const output = spread(units, shape, channel);
    for (const state of given) unify(units, along(state, channel));
    markActivations(call, output);
    const columns = makes(tile(units, gates));
    const window = shape.slice(1).map(() => null);
    const uses = positionsOf(shape) / units.length;
    const bias = config.useBias === false ? {} : { bias: 'bias' };
    return {
      outputs: new Array<Labels>(1 + states).fill(output),
      weights: {
        kernel: {
          axes: [...window, reads(along(input!, channel)), columns],
          uses,
          contracts: { inputAxis: channel, ...bias },
        },
        recurrent_kernel: {
          axes: [...window, reads(units), columns],
          uses,
          contracts: { inputAxis: channel, ...bias, of: { layer, input: 1 } },
        },
        bias: { axes: [columns] },
      },
      config: (kept) => ({ [field]: kept(units).length }),
    };
  },
});

/** Cells one upon the other; the states are those of the last cell first. */
const stack: LayerRule = {
  trace({ layer, inputs, outputShapes, inner }) {
    const { cells } = layer as unknown as { readonly cells: readonly Cell[] };
    let [output, ...given] = inputs;
    const shapes = outputShapes.slice(1);
    const states: Labels[] = [];
    cells.forEach((one, i) => {
      const count = statesOf(one);
      const from = shapes.length - states.length - count;
      const own = shapes.slice(from, from + count);
      const part = { layer: one, name: String(i), at: ['cells', i] };
      const answer = inner(part, [output!, ...given.slice(from, from + count)], [own[0]!, ...own]);
      output = answer[0];
      states.unshift(...answer.slice(1));
    });
    return { outputs: [output!, ...states] };
  },
};

type Cell = Layer & { readonly stateSize: number | readonly number[] };
const statesOf = ({ stateSize }: Cell): number => [stateSize].flat().length;

/** What an RNN layer is called on and puts out, of one time step. */
function stepOf({ layer, config, inputs, outputShapes, tie }: LayerCall) {
  const { cell: one } = layer as unknown as { readonly cell: Cell };
  const [sequence, ...initial] = inputs;
  const steps = sequence!.shape[0]!;
  const output = config.returnSequences === true ? outputShapes[0]!.slice(1) : outputShapes[0]!;
  const sizes = [one.stateSize].flat();
  // the state of a convolution is a map as its output is
  const states = sizes.map((size) => (output.length > 1 ? output : [size]));
  return {
    cell: one,
    steps,
    inputs: [withoutAxis(tie(sequence!, 0), 0), ...initial],
    shapes: [output, ...states],
    /** What the layer makes of what its cell puts out. */
    outputs([last, ...kept]: readonly Labels[]): Labels[] {
      const first = config.returnSequences === true ? withAxis(last!, 0, steps) : last!;
      return config.returnState === true ? [first, ...kept] : [first];
    },
  };
}

/** A layer around one cell, whose config it shares. */
const recurrent: LayerRule = {
  trace(call) {
    const step = stepOf(call);
    const rule = ruleFor(step.cell.getClassName())!;
    const answer = rule.trace({ ...call, inputs: step.inputs, outputShapes: step.shapes });
    const { kernel, recurrent_kernel: recurrentKernel, ...others } = answer.weights!;
    const uses = kernel!.uses! * step.steps;
    // the layer reads the sequence, its cell the state
    const fromInput = { ...kernel!.contracts!, inputAxis: kernel!.contracts!.inputAxis + 1 };
    const fromState = { ...recurrentKernel!.contracts!, of: { layer: step.cell, input: 1 } };
    return {
      ...answer,
      outputs: step.outputs(answer.outputs),
      weights: {
        ...others,
        kernel: { ...kernel!, uses, contracts: fromInput },
        recurrent_kernel: { ...recurrentKernel!, uses, contracts: fromState },
      },
      // at each step, whether or not the layer puts them all out
      observed: [
        {
          layer: step.cell,
          axis: channelAxis({ config: call.config, inputs: step.inputs }),
          labels: answer.outputs[0]!.data,
        },
      ],
    };
  },
};

/** A layer around any cell. */
const rnn: LayerRule = {
  trace(call) {
    const step = stepOf(call);
    const part = { layer: step.cell, name: 'cell', at: ['cell'], times: step.steps };
    return { outputs: step.outputs(call.inner(part, step.inputs, step.shapes)) };
  },
};

registerLayer('SimpleRNNCell', cell(1, 1, 'units'));
registerLayer('GRUCell', cell(3, 1, 'units'));
registerLayer('LSTMCell', cell(4, 2, 'units'));
registerLayer('ConvLSTM2DCell', cell(4, 2, 'filters'));
registerLayer('StackedRNNCells', stack);
for (const className of ['SimpleRNN', 'GRU', 'LSTM', 'ConvLSTM2D']) registerLayer(className, recurrent);
registerLayer('RNN', rnn);
