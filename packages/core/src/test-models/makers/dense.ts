import { layers } from '@tensorflow/tfjs-layers';
import { product } from '../../graph/labels.ts';
import { hasUnknown, type Maker } from '../builder.ts';
import { Doubling, Swish } from '../layers.ts';
import { activationOf, heldBy } from './shared.ts';

export const dense: Maker = (builder, from, _shape, { size, option, other }) => {
  const layer = layers.dense({
    ...heldBy(other),
    units: size,
    activation: activationOf(option),
    useBias: option < 6,
    name: builder.name('dense'),
  });
  builder.apply(layer, from);
};

export const pointwise: Maker = (builder, from, _shape, { option, size }) => {
  const name = builder.name('pointwise');
  const choices = [
    () => layers.reLU({ name }),
    () => layers.leakyReLU({ alpha: 0.2, name }),
    () => layers.elu({ name }),
    () => layers.thresholdedReLU({ theta: 0.3, name }),
    () => layers.activation({ activation: 'tanh', name }),
    () => layers.reLU({ maxValue: 2, name }),
    () => layers.rescaling({ scale: 0.7, offset: 0.2, name }),
    () => new Swish({ name }),
  ];
  builder.apply(choices[(option + size) % choices.length]!(), from);
};

export const prelu: Maker = (builder, from, shape, { option }) => {
  const axes = Array.from(shape.keys(), (axis) => axis + 1);
  const shared = [axes.slice(0, -1), [], axes, axes.slice(1)][option % 4]!;
  const name = builder.name('prelu');
  builder.apply(layers.prelu(shared.length > 0 ? { sharedAxes: shared, name } : { name }), from);
};

export const batchNorm: Maker = (builder, from, shape, { option, size }) => {
  // TensorFlow.js normalises nothing of more dimensions, here and in `mixing`
  if (shape.length > 3) return;
  const axis = option === 7 && shape.length > 1 && !hasUnknown(shape) ? 1 : -1;
  const name = builder.name('norm');
  builder.apply(layers.batchNormalization({ axis, scale: size !== 1, center: size !== 2, name }), from);
};

/** What looks at all units at once. */
export const mixing: Maker = (builder, from, shape, { option }) => {
  if (shape.length > 3) return;
  const name = builder.name('mixing');
  const axes = Array.from(shape.keys(), (axis) => axis + 1);
  const choices = [
    () => layers.layerNormalization({ name }),
    () => layers.layerNormalization({ axis: axes, name }),
    () => layers.layerNormalization({ axis: 1, name }),
    () => layers.softmax({ axis: -1, name }),
    () => layers.activation({ activation: 'softmax', name }),
  ];
  builder.apply(choices[option % choices.length]!(), from);
};

export const dropout: Maker = (builder, from, shape, { option }) => {
  const name = builder.name('dropout');
  const choices = [
    () => layers.dropout({ rate: 0.3, name }),
    () => layers.gaussianNoise({ stddev: 0.3, name }),
    () => layers.gaussianDropout({ rate: 0.3, name }),
    () => layers.alphaDropout({ rate: 0.3, name }),
    ...(shape.length === 2 ? [() => layers.spatialDropout1d({ rate: 0.3, name })] : []),
  ];
  builder.apply(choices[option % choices.length]!(), from);
};

export const unknown: Maker = (builder, from) => {
  builder.apply(new Doubling({ name: builder.name('unknown') }), from);
};

export const flatten: Maker = (builder, from, shape, { option }) => {
  if (shape.length === 1) return;
  const dataFormat = option === 7 ? ('channelsFirst' as const) : ('channelsLast' as const);
  builder.apply(layers.flatten({ dataFormat, name: builder.name('flatten') }), from);
};

export const reshape: Maker = (builder, from, shape, { size, option }) => {
  const total = product(shape);
  const rows = [5, 4, 3, 2, 1].find((n) => n <= size && total % n === 0)!;
  const square = [3, 2, 1].find((n) => total % (n * n) === 0)!;
  const targets = [
    [total],
    [rows, square, total / rows / square].filter(Number.isInteger),
    [rows, total / rows],
    [total / rows, rows],
    [square, square, total / square ** 2],
    [product(shape.slice(0, -1)), shape.at(-1)!],
    [1, 1, total],
    [-1, shape.at(-1)!],
  ];
  const chosen = targets[option % targets.length]!;
  const targetShape = product(chosen) === total || chosen.includes(-1) ? chosen : [total];
  builder.apply(layers.reshape({ targetShape, name: builder.name('reshape') }), from);
};

const orders: Readonly<Record<number, readonly (readonly number[])[]>> = {
  2: [[2, 1]],
  3: [
    [2, 1, 3],
    [3, 1, 2],
    [1, 3, 2],
  ],
  4: [
    [2, 1, 3, 4],
    [1, 4, 2, 3],
  ],
};

/** The axes in another order, or a vector several times over. */
export const permute: Maker = (builder, from, shape, { option, size }) => {
  if (shape.length === 1) {
    builder.apply(layers.repeatVector({ n: 1 + (size % 3), name: builder.name('repeat') }), from);
    return;
  }
  const choices = orders[shape.length]!;
  const dims = [...choices[option % choices.length]!];
  builder.apply(layers.permute({ dims, name: builder.name('permute') }), from);
};
