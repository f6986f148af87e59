import { input, type LayersModel, layers, model as modelOf, sequential } from '@tensorflow/tfjs-layers';
import type { Layer } from '../../graph/rule.ts';
import type { Maker } from '../builder.ts';

/** A model as a layer: functional, with one output or two, or Sequential. */
export const nested: Maker = (builder, from, shape, { body = [], option, size }) => {
  const name = builder.name('nested');
  // TensorFlow.js loads no model in which two weights have one name, wherever they are
  const inner = builder.inner([input({ shape: [...shape], name: `${name}_in` })], `${name}_`);
  const [first] = inner.unused;
  for (const step of body) inner.step(step);
  const ends = inner.unused.filter((tensor) => tensor !== first);
  const last = ends.at(-1);
  if (!last) return;
  const container =
    option % 2 === 0
      ? modelOf({ inputs: first!, outputs: option % 4 === 0 ? ends : last, name })
      : sequentialOf(name, shape, size);
  builder.applySome(container as unknown as Layer, [from]);
};

function sequentialOf(name: string, shape: readonly number[], size: number): LayersModel {
  const args = { inputShape: [...shape], name: `${name}_first` };
  const first =
    shape.length === 3
      ? layers.conv2d({ filters: size, kernelSize: 1, ...args })
      : layers.dense({ units: size, ...args });
  // TensorFlow.js normalises nothing of more dimensions
  const second = shape.length > 3 ? layers.elu : layers.batchNormalization;
  return sequential({ name, layers: [first, second({ name: `${name}_second` })] });
}

/** A layer or model that was called already, once more. */
export const shared: Maker = (builder, from, shape, { other }) => {
  const layer = builder.applied(other, shape);
  if (layer) builder.apply(layer, from);
};
