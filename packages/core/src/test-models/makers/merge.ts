import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { type Builder, type Maker, shapeOf } from '../builder.ts';
import { merger } from './shared.ts';

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
export const merge: Maker = (builder, from, shape, { other, option, size }) => {
  const fits = (tensor: SymbolicTensor) => String(shapeOf(tensor)) === String(shape) && tensor !== from;
  const second = builder.other(other, fits) ?? branchOf(builder, from, shape);
  const third =
    size === 5 && option % 6 !== 1 ? builder.other(other + 1, (t) => fits(t) && t !== second) : undefined;
  builder.apply(merger(option, builder.name('merge')), from, second, ...(third ? [third] : []));
};

/** Squeeze and excite; over channels, with tensors of different rank; or over space. */
export const gate: Maker = (builder, from, shape, { option, other }) => {
  if (shape.length === 1 || shape.length > 3) return;
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

export const concat: Maker = (builder, from, shape, { other, option }) => {
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

/** Two tensors summed over one axis: over units, as attention's scores are, or over positions. */
export const dot: Maker = (builder, from, shape, { other, option }) => {
  if (shape.length > 2) return;
  const axis = option % shape.length;
  const fits = (tensor: SymbolicTensor) => {
    const its = shapeOf(tensor);
    return tensor !== from && its.length === shape.length && its[axis] === shape[axis];
  };
  const second = builder.other(other, fits) ?? branchOf(builder, from, shape);
  builder.apply(layers.dot({ axes: axis + 1, name: builder.name('dot') }), from, second);
};
