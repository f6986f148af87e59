import { type LayersModel, layers, type RNN, sequential } from '@tensorflow/tfjs-layers';
import type { Layer } from '../../graph/rule.ts';
import type { Maker, Step } from '../builder.ts';
import { conv } from './convolution.ts';
import { activationOf } from './shared.ts';

/** Not the usual one, which would be slow and need another part of TensorFlow.js. */
const fast = { recurrentInitializer: 'glorotUniform' } as const;
const kinds = [layers.lstm, layers.gru, layers.simpleRNN] as const;
const cells = [layers.lstmCell, layers.gruCell, layers.simpleRNNCell] as const;

/** TensorFlow.js has no gradient through a single step. */
const isSequence = (shape: readonly number[]) => shape.length === 2 && shape[0]! > 1;

/**
 * The output at the last step is the first state, in one tensor: predict() disposes it once the one was read (a bug
 * of TensorFlow.js), so nobody reads both.
 */
const notBoth = (ends: number) => (output: number, outputs: number) => outputs === ends || output >= ends;

/** One RNN over a sequence; some put out their states. TensorFlow.js confuses several of which one is given a state. */
export const recurrent: Maker = (builder, from, shape, step) => {
  if (!isSequence(shape)) return conv(builder, from, shape, step);
  const { size, option, other } = step;
  const units = 1 + size;
  const args = {
    ...fast,
    units,
    activation: other % 2 === 0 ? ('tanh' as const) : activationOf(option),
    returnSequences: option % 2 === 0,
    returnState: option === 3,
    goBackwards: option === 4,
    useBias: option !== 5,
    name: builder.name('rnn'),
  };
  const layer = kinds[size % 3]!(args) as Layer;
  builder.applySome(layer, [from], notBoth(1));
};

/** Cells, alone or one upon the other. */
export const stacked: Maker = (builder, from, shape, step) => {
  if (!isSequence(shape)) return conv(builder, from, shape, step);
  const { size, option, other } = step;
  const cell = (i: number) => cells[(option + i) % 3]!({ ...fast, units: 1 + ((size + i * other) % 4) });
  const args = {
    cell: option % 4 === 0 ? cell(0) : [cell(0), cell(1)],
    returnSequences: option % 2 === 0,
    returnState: option === 5,
    name: builder.name('stacked'),
  };
  builder.applySome(layers.rnn(args as Parameters<typeof layers.rnn>[0]), [from], notBoth(1));
};

const mergeModes = ['concat', 'sum', 'mul', 'ave', null] as const;

export const bidirectional: Maker = (builder, from, shape, step) => {
  if (!isSequence(shape)) return conv(builder, from, shape, step);
  const { size, option, other } = step;
  const name = builder.name('both');
  const layer = kinds[size % 3]!({
    ...fast,
    units: 1 + (size % 4),
    returnSequences: option % 2 === 0,
    returnState: option === 3,
    name: `${name}_way`,
  });
  const mergeMode = mergeModes[(other + option) % mergeModes.length]!;
  const args = { layer: layer as RNN, mergeMode, name } as Parameters<typeof layers.bidirectional>[0];
  builder.applySome(layers.bidirectional(args) as Layer, [from], notBoth(mergeMode === null ? 2 : 0));
};

/** A layer or a model of its own, at each step of a sequence or film. */
export const timeDistributed: Maker = (builder, from, shape, step) => {
  if (shape.length === 1 || shape[0] === 1) return conv(builder, from, shape, step);
  const name = builder.name('each');
  const layer = wrapped(`${name}_in`, shape.slice(1), step) as Layer;
  builder.apply(layers.timeDistributed({ layer, name }), from);
};

function wrapped(name: string, shape: readonly number[], { size, option, other }: Step): Layer | LayersModel {
  const activation = activationOf(option);
  if (shape.length === 1) {
    if (option < 6) return layers.dense({ units: size, activation, name });
    const first = layers.dense({ units: size, activation, inputShape: [...shape], name: `${name}_first` });
    return sequential({ layers: [first, layers.batchNormalization({ name: `${name}_norm` })], name });
  }
  const choices = [
    () => layers.flatten({ name }),
    () => layers.batchNormalization({ name }),
    () => layers.dense({ units: size, name }),
    () =>
      shape.length === 2
        ? (kinds[size % 3]!({ ...fast, units: size, name }) as Layer)
        : layers.conv2d({ filters: size, kernelSize: 2, padding: 'same', name }),
  ];
  return choices[(option + other) % choices.length]!();
}

/** Over a film: [time, height, width, channels]. */
export const convLstm: Maker = (builder, from, shape, step) => {
  if (shape.length !== 4 || shape[0] === 1) return conv(builder, from, shape, step);
  const { size, option } = step;
  const layer = layers.convLstm2d({
    ...fast,
    filters: 1 + (size % 3),
    kernelSize: 2,
    padding: option % 3 === 0 ? 'same' : 'valid',
    returnSequences: option % 2 === 0,
    useBias: option !== 5,
    name: builder.name('convLstm'),
  });
  if (Math.min(shape[1]!, shape[2]!) >= 2) builder.apply(layer as Layer, from);
};
