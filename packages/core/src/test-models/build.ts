/**
 * Random models as plain data: a short list of steps that `build` makes a model of, whatever they say. A
 * step that does not fit where it stands is left out, so that fast-check may shrink the list as it likes.
 */
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import type { Layer } from '../graph/rule.ts';
import { Doubling, Subtract, Swish } from './layers.ts';
import { normal, uniform } from './random.ts';

export const operations = [
  'dense',
  'conv',
  'depthwise',
  'separable',
  'batchNorm',
  'prelu',
  'pointwise',
  'dropout',
  'pool',
  'globalPool',
  'flatten',
  'reshape',
  'permute',
  'pad',
  'merge',
  'gate',
  'concat',
  'shared',
  'unknown',
  'nested',
] as const;

export interface Step {
  readonly operation: (typeof operations)[number];
  /** Which tensor it takes, counted back from the newest. */
  readonly from: number;
  /** Which other one, if it takes two. */
  readonly other: number;
  readonly size: number;
  readonly option: number;
  /** Of a nested model. */
  readonly body?: readonly Step[];
}

export interface ModelDescription {
  /** Without the batch; one for each input. */
  readonly inputs: readonly (readonly number[])[];
  readonly steps: readonly Step[];
  /** What is made of each tensor that no step took. */
  readonly head: number;
  /** Of the weights. */
  readonly seed: number;
}

interface Applied {
  readonly layer: Layer;
  readonly inputShape: string;
}

class Builder {
  readonly #tensors: SymbolicTensor[];
  readonly #used = new Set<SymbolicTensor>();
  readonly #applied: Applied[] = [];
  readonly #prefix: string;
  #count = 0;

  constructor(tensors: readonly SymbolicTensor[], prefix = '') {
    this.#tensors = [...tensors];
    this.#prefix = prefix;
  }

  get unused(): SymbolicTensor[] {
    return this.#tensors.filter((tensor) => !this.#used.has(tensor));
  }

  step(step: Step): void {
    const from = this.#at(step.from);
    const shape = shapeOf(from);
    // keeps the models small
    if (shape.at(-1)! > 24) return;
    if (hasUnknown(shape) && !anyLength.includes(step.operation)) return;
    makers[step.operation](this, from, shape, step);
  }

  name(kind: string): string {
    return `${this.#prefix}${kind}${this.#count++}`;
  }

  apply(layer: Layer, ...from: readonly SymbolicTensor[]): SymbolicTensor {
    const [first] = from;
    const output = layer.apply(from.length === 1 ? first! : [...from]) as SymbolicTensor;
    for (const tensor of from) this.#used.add(tensor);
    if (from.length === 1) this.#applied.push({ layer, inputShape: String(shapeOf(first!)) });
    this.#tensors.push(output);
    return output;
  }

  /** Another tensor that fits, or none. */
  other(back: number, fits: (tensor: SymbolicTensor) => boolean): SymbolicTensor | undefined {
    const fitting = this.#tensors.filter(fits);
    return fitting[fitting.length - 1 - (back % fitting.length)];
  }

  applied(back: number, shape: readonly number[]): Layer | undefined {
    const fitting = this.#applied.filter(({ inputShape }) => inputShape === String(shape));
    return fitting[fitting.length - 1 - (back % fitting.length)]?.layer;
  }

  #at(back: number): SymbolicTensor {
    return this.#tensors[this.#tensors.length - 1 - (back % this.#tensors.length)]!;
  }
}

type Maker = (builder: Builder, from: SymbolicTensor, shape: readonly number[], step: Step) => void;

const shapeOf = (tensor: SymbolicTensor): number[] => tensor.shape.slice(1) as number[];
const hasUnknown = (shape: readonly (number | null)[]) => shape.includes(null);
/** What a sequence of unknown length can go through. */
const anyLength: readonly Step['operation'][] = ['dense', 'batchNorm', 'pointwise', 'dropout', 'globalPool'];
const activations = ['linear', 'relu', 'tanh', 'elu'] as const;
const activationOf = (option: number) => activations[option % activations.length]!;
const product = (shape: readonly number[]) => shape.reduce((total, n) => total * n, 1);

const dense: Maker = (builder, from, _shape, { size, option }) => {
  const layer = layers.dense({
    units: size,
    activation: activationOf(option),
    useBias: option < 6,
    name: builder.name('dense'),
  });
  builder.apply(layer, from);
};

const conv: Maker = (builder, from, shape, step) => {
  const { size, option } = step;
  const kernelSize = 1 + (option % 3);
  const [height = 0, width = 0] = shape;
  const args = {
    filters: size,
    kernelSize,
    padding: option % 2 === 0 ? ('same' as const) : ('valid' as const),
    strides: option === 5 ? 2 : 1,
    activation: activationOf(step.other),
    useBias: option < 6,
    name: builder.name('conv'),
  };
  if (shape.length === 1) return dense(builder, from, shape, step);
  if (Math.min(height, shape.length === 3 ? width : height) < kernelSize) return;
  builder.apply(shape.length === 3 ? layers.conv2d(args) : layers.conv1d(args), from);
};

const depthwise: Maker = (builder, from, shape, step) => {
  if (shape.length !== 3) return conv(builder, from, shape, step);
  const layer = layers.depthwiseConv2d({
    kernelSize: 1 + (step.option % 3),
    depthMultiplier: 1 + (step.size % 3),
    padding: 'same',
    useBias: step.option < 6,
    activation: activationOf(step.other),
    name: builder.name('depthwise'),
  });
  builder.apply(layer, from);
};

const separable: Maker = (builder, from, shape, step) => {
  if (shape.length !== 3) return conv(builder, from, shape, step);
  const layer = layers.separableConv2d({
    filters: step.size,
    kernelSize: 1 + (step.option % 3),
    depthMultiplier: 1 + (step.other % 2),
    padding: 'same',
    useBias: step.option < 6,
    activation: activationOf(step.option),
    name: builder.name('separable'),
  });
  builder.apply(layer, from);
};

const pointwise: Maker = (builder, from, _shape, { option }) => {
  const name = builder.name('pointwise');
  const choices = [
    () => layers.reLU({ name }),
    () => layers.leakyReLU({ alpha: 0.2, name }),
    () => layers.elu({ name }),
    () => layers.thresholdedReLU({ theta: 0.3, name }),
    () => layers.activation({ activation: 'tanh', name }),
    () => layers.reLU({ maxValue: 2, name }),
    () => layers.activation({ activation: 'sigmoid', name }),
    () => new Swish({ name }),
  ];
  builder.apply(choices[option % choices.length]!(), from);
};

const prelu: Maker = (builder, from, shape, { option }) => {
  const axes = Array.from(shape.keys(), (axis) => axis + 1);
  const shared = [axes.slice(0, -1), [], axes, axes.slice(1)][option % 4]!;
  const name = builder.name('prelu');
  builder.apply(layers.prelu(shared.length > 0 ? { sharedAxes: shared, name } : { name }), from);
};

const dropout: Maker = (builder, from, shape, { option }) => {
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

const pool: Maker = (builder, from, shape, { option }) => {
  if (shape.length === 1 || shape.slice(0, -1).some((n) => n < 2)) return;
  const args = {
    poolSize: 2,
    strides: 1 + (option % 2),
    padding: option % 4 < 2 ? ('same' as const) : ('valid' as const),
    name: builder.name('pool'),
  };
  const [average, max] =
    shape.length === 3
      ? [layers.averagePooling2d, layers.maxPooling2d]
      : [layers.averagePooling1d, layers.maxPooling1d];
  builder.apply((option < 4 ? average : max)(args), from);
};

const globalPool: Maker = (builder, from, shape, { option }) => {
  if (shape.length === 1) return;
  const name = builder.name('globalPool');
  const [average, max] =
    shape.length === 3
      ? [() => layers.globalAveragePooling2d({ name }), () => layers.globalMaxPooling2d({ name })]
      : [() => layers.globalAveragePooling1d({ name }), () => layers.globalMaxPooling1d({ name })];
  builder.apply((option % 2 === 0 ? average : max)(), from);
};

const reshape: Maker = (builder, from, shape, { size, option }) => {
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

const permute: Maker = (builder, from, shape, { option }) => {
  if (shape.length === 1) return;
  const orders =
    shape.length === 2
      ? [[2, 1]]
      : [
          [2, 1, 3],
          [3, 1, 2],
          [1, 3, 2],
        ];
  builder.apply(
    layers.permute({ dims: orders[option % orders.length]!, name: builder.name('permute') }),
    from,
  );
};

const pad: Maker = (builder, from, shape, { option }) => {
  if (shape.length !== 3) return;
  const name = builder.name('pad');
  if (option < 4)
    builder.apply(
      layers.zeroPadding2d({
        padding: [
          [1, 0],
          [0, 1],
        ],
        name,
      }),
      from,
    );
  else if (option < 6) {
    if (shape[0]! < 3 || shape[1]! < 3) return;
    builder.apply(
      layers.cropping2D({
        cropping: [
          [1, 0],
          [1, 1],
        ],
        name,
      }),
      from,
    );
  } else if (shape[0]! < 8 && shape[1]! < 8) builder.apply(layers.upSampling2d({ size: [2, 1], name }), from);
};

const merger = (option: number, name: string): Layer => {
  const choices = [
    () => layers.add({ name }),
    () => new Subtract({ name }),
    () => layers.multiply({ name }),
    () => layers.average({ name }),
    () => layers.maximum({ name }),
    () => layers.minimum({ name }),
  ];
  return choices[option % choices.length]!();
};

/** A new tensor of the same shape. */
const branchOf = (builder: Builder, from: SymbolicTensor, shape: readonly number[]): SymbolicTensor => {
  const name = builder.name('branch');
  const filters = shape.at(-1)!;
  const branch =
    shape.length === 3
      ? layers.conv2d({ filters, kernelSize: 3, padding: 'same', name })
      : layers.dense({ units: filters, name });
  return builder.apply(branch, from);
};

/** With another tensor of the shape, or else around a new layer, as a residual block does. */
const merge: Maker = (builder, from, shape, { other, option, size }) => {
  const fits = (tensor: SymbolicTensor) => String(shapeOf(tensor)) === String(shape) && tensor !== from;
  const second = builder.other(other, fits) ?? branchOf(builder, from, shape);
  const third =
    size === 5 && option % 6 !== 1 ? builder.other(other + 1, (t) => fits(t) && t !== second) : undefined;
  builder.apply(merger(option, builder.name('merge')), from, second, ...(third ? [third] : []));
};

/** Squeeze and excite; over channels, with tensors of different rank; or over space. */
const gate: Maker = (builder, from, shape, { option, other }) => {
  if (shape.length === 1) return;
  const channels = shape.at(-1)!;
  const name = builder.name('gate');
  if (option % 4 === 3) {
    const excite = layers.dense({ units: 1, activation: 'sigmoid', name });
    builder.apply(merger(2, `${name}_by`), from, builder.apply(excite, from));
    return;
  }
  const squeeze =
    shape.length === 3
      ? layers.globalAveragePooling2d({ name: `${name}_squeeze` })
      : layers.globalAveragePooling1d({ name: `${name}_squeeze` });
  const excite = layers.dense({ units: channels, activation: 'sigmoid', name });
  const gated = builder.apply(excite, builder.apply(squeeze, from));
  const targetShape = [...shape.slice(1).map(() => 1), channels];
  const spread =
    option % 2 === 0 ? builder.apply(layers.reshape({ targetShape, name: `${name}_spread` }), gated) : gated;
  builder.apply(merger(other === 0 ? 0 : 2, `${name}_by`), from, spread);
};

const concat: Maker = (builder, from, shape, { other, option }) => {
  const axis = option < 4 ? shape.length - 1 : option % shape.length;
  const fits = (tensor: SymbolicTensor) => {
    const its = shapeOf(tensor);
    // one tensor twice: predict() then disposes it too early for a third reader (a bug of TensorFlow.js)
    return (
      tensor !== from && its.length === shape.length && its.every((n, a) => a === axis || n === shape[a])
    );
  };
  const second = builder.other(other, fits) ?? branchOf(builder, from, shape);
  builder.apply(layers.concatenate({ axis: axis + 1, name: builder.name('concat') }), from, second);
};

const nested: Maker = (builder, from, shape, { body = [], option, size }) => {
  const name = builder.name('nested');
  // TensorFlow.js loads no model in which two weights have one name, wherever they are
  const inner = new Builder([input({ shape: [...shape], name: 'in' })], `${name}_`);
  const [first] = inner.unused;
  for (const step of body) inner.step(step);
  const last = inner.unused.at(-1);
  if (!last || last === first) return;
  let container: LayersModel;
  if (option % 2 === 0) {
    container = modelOf({ inputs: first!, outputs: last, name });
  } else {
    const filters = size;
    const firstArgs = { inputShape: [...shape], name: `${name}_first` };
    container = sequential({
      name,
      layers: [
        shape.length === 3
          ? layers.conv2d({ filters, kernelSize: 1, ...firstArgs })
          : layers.dense({ units: filters, ...firstArgs }),
        layers.batchNormalization({ name: `${name}_norm` }),
      ],
    });
  }
  builder.apply(container as unknown as Layer, from);
};

const makers: Readonly<Record<Step['operation'], Maker>> = {
  dense,
  conv,
  depthwise,
  separable,
  batchNorm: (builder, from) => {
    builder.apply(layers.batchNormalization({ name: builder.name('norm') }), from);
  },
  prelu,
  pointwise,
  dropout,
  pool,
  globalPool,
  flatten: (builder, from, shape) => {
    if (shape.length > 1) builder.apply(layers.flatten({ name: builder.name('flatten') }), from);
  },
  reshape,
  permute,
  pad,
  merge,
  gate,
  concat,
  shared: (builder, from, shape, { other }) => {
    const layer = builder.applied(other, shape);
    if (layer) builder.apply(layer, from);
  },
  unknown: (builder, from) => {
    builder.apply(new Doubling({ name: builder.name('unknown') }), from);
  },
  nested,
};

/** The model; its outputs are all tensors that nobody took, most of them through a Dense layer. */
export function build({ inputs, steps, head, seed }: ModelDescription): LayersModel {
  const sources = inputs.map((shape, i) => input({ shape: [...shape], name: `input${i}` }));
  const builder = new Builder(sources);
  for (const step of steps) builder.step(step);
  const loose = builder.unused;
  const outputs = loose.map((tensor, i): SymbolicTensor => {
    const kind = (head + i) % 4;
    const shape = shapeOf(tensor);
    if (kind === 3 && loose.length > 1 && !hasUnknown(shape)) return tensor;
    const flat = {
      ...fillers,
      operation: kind === 0 || hasUnknown(shape) ? ('globalPool' as const) : ('flatten' as const),
    };
    const before = builder.unused;
    makers[flat.operation](builder, tensor, shape, { ...flat, option: i });
    const vector = builder.unused.find((made) => !before.includes(made)) ?? tensor;
    return builder.apply(layers.dense({ units: 2, name: `output${i}` }), vector);
  });
  const built = modelOf({ inputs: sources, outputs, name: 'generated' });
  liven(built, seed);
  return built;
}

const fillers = { from: 0, other: 0, size: 1, option: 0 };

/** Weights as a trained model could have them: none of them trivial, and signals of about one size throughout. */
export function liven(model: LayersModel, seed: number): void {
  const next = normal(seed);
  const even = uniform(seed + 1);
  for (const weight of model.weights) {
    const { shape } = weight;
    const name = weight.originalName.split('/').at(-1)!;
    const fanIn =
      name === 'depthwise_kernel' ? shape[0]! * shape[1]! : product(shape.slice(0, -1) as number[]);
    const draw = (): number => {
      if (name.endsWith('kernel')) return next() * Math.sqrt(2 / fanIn);
      if (name === 'gamma' || name === 'moving_variance') return 0.5 + even();
      if (name === 'alpha') return even() / 2;
      return next() * 0.3;
    };
    const values = Float32Array.from({ length: product(shape as number[]) }, draw);
    tf.tidy(() => {
      weight.write(tf.tensor(values, shape as number[]));
    });
  }
}

/** One random tensor for each input. */
export function examples(model: LayersModel, count: number, seed: number): tf.Tensor[] {
  const next = normal(seed);
  return model.inputs.map(({ shape }) => {
    const full = [count, ...(shape.slice(1) as number[])];
    return tf.tensor(Float32Array.from({ length: product(full) }, next), full);
  });
}
