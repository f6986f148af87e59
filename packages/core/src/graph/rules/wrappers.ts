import { concatenate, type Labels, withAxis, withoutAxis } from '../labels.ts';
import { type Layer, type LayerRule, registerLayer } from '../rule.ts';

/** One layer or model, called on each time step. */
const timeDistributed: LayerRule = {
  trace({ layer, inputs, outputShapes, tie, inner }) {
    const { layer: wrapped } = layer as unknown as { readonly layer: Layer };
    const [sequence] = inputs;
    const times = sequence!.shape[0]!;
    const part = { layer: wrapped, name: wrapped.name, at: ['layer'], times };
    const [output] = inner(part, [withoutAxis(tie(sequence!, 0), 0)], [outputShapes[0]!.slice(1)]);
    return { outputs: [withAxis(output!, 0, times)] };
  },
};

type MergeMode = 'concat' | 'sum' | 'mul' | 'ave' | null;

/**
 * Two copies of a recurrent layer, one for each direction. TensorFlow.js has one config for both, and so one
 * size: the first unit of the one direction goes with the first of the other, and so on.
 */
const bidirectional: LayerRule = {
  trace({ layer, config, inputs, outputShapes, unify, inner }) {
    const { forwardLayer, backwardLayer } = layer as unknown as Record<string, Layer>;
    const mode = config.mergeMode as MergeMode;
    const [sequence, ...initial] = inputs;
    const ends = mode === null ? 2 : 1;
    const last = outputShapes[0]!.length - 1;
    const width = outputShapes[0]![last]! / (mode === 'concat' ? 2 : 1);
    const states = outputShapes.slice(ends);
    const shapes = [[...outputShapes[0]!.slice(0, last), width], ...states.slice(0, states.length / 2)];
    const half = initial.length / 2;
    const [forward, backward] = [
      { layer: forwardLayer!, name: 'forward', given: initial.slice(0, half) },
      { layer: backwardLayer!, name: 'backward', given: initial.slice(half) },
    ].map(({ given, ...part }) => inner({ ...part, at: ['layer'] }, [sequence!, ...given], shapes));
    const [ahead, back] = [forward![0]!, backward![0]!];
    unify(ahead.data, back.data);
    return { outputs: [...merged(mode, ahead, back), ...forward!.slice(1), ...backward!.slice(1)] };
  },
};

function merged(mode: MergeMode, ahead: Labels, back: Labels): Labels[] {
  if (mode === null) return [ahead, back];
  return [mode === 'concat' ? concatenate([ahead, back], ahead.shape.length - 1) : ahead];
}

registerLayer('TimeDistributed', timeDistributed);
registerLayer('Bidirectional', bidirectional);
