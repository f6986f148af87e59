import * as tf from '@tensorflow/tfjs-core';

/** What tfjs-core's gradient of a convolution is, or refuses where it is dilated. */
type Shipped = tf.GradConfig['gradFunc'];

/** The kernels that compute the two gradients of one kind of convolution. */
interface Backprop {
  readonly input: string;
  readonly filter: string;
}

/** Convolutions whose dilated gradient tfjs-core refuses. */
export const dilatable: ReadonlyMap<string, Backprop> = new Map([
  [tf.Conv2D, { input: tf.Conv2DBackpropInput, filter: tf.Conv2DBackpropFilter }],
  [
    tf.DepthwiseConv2dNative,
    { input: tf.DepthwiseConv2dNativeBackpropInput, filter: tf.DepthwiseConv2dNativeBackpropFilter },
  ],
]);

/**
 * A convolution with gaps in its window is one with zeros in a wider filter, whose gradient is there. (A Conv2D
 * layer goes another way, which still refuses, unless its activation is relu or elu.)
 */
export const dilatedGradient =
  (shipped: Shipped, kernels: Backprop): Shipped =>
  (dy, saved, attrs) => {
    const { dilations, strides, pad, dataFormat, dimRoundingMode } = attrs as unknown as tf.Conv2DAttrs;
    // a DepthwiseConv2D layer says nothing
    const [high, wide] = Array.isArray(dilations) ? dilations : [dilations ?? 1, dilations ?? 1];
    if ((high === 1 && wide === 1) || dataFormat === 'NCHW') return shipped(dy, saved, attrs);
    const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D];
    const common = { strides, pad, dataFormat, dimRoundingMode, dilations: [1, 1] };
    const run = (kernel: string, inputs: tf.NamedTensorMap, more: object): tf.Tensor =>
      tf.engine().runKernel(kernel, inputs, { ...common, ...more } as never);
    const [kh, kw, ...channels] = filter.shape;
    const filterShape = [(kh - 1) * high + 1, (kw - 1) * wide + 1, ...channels];
    return {
      x: () =>
        tf.tidy(() => {
          const inputs = { dy: dy as tf.Tensor, filter: spread(filter, [high, wide], filterShape) };
          return run(kernels.input, inputs, { inputShape: x.shape });
        }),
      filter: () =>
        tf.tidy(() => {
          const all = run(kernels.filter, { x, dy: dy as tf.Tensor }, { filterShape });
          return tf.stridedSlice(all, [0, 0, 0, 0], filterShape, [high, wide, 1, 1]);
        }),
    };
  };

/** A filter with zeros between its rows and columns. */
function spread(filter: tf.Tensor4D, [high, wide]: [number, number], shape: number[]): tf.Tensor {
  const [kh, kw, ...channels] = filter.shape;
  const depth = tf.util.sizeFromShape(channels);
  const rows = tf.pad(tf.reshape(filter, [kh, 1, kw * depth]), [[0, 0], [0, high - 1], [0, 0]]); // biome-ignore format: sides
  const columns = tf.pad(tf.reshape(rows, [kh * high * kw, 1, depth]), [[0, 0], [0, wide - 1], [0, 0]]); // biome-ignore format: sides
  const full = tf.reshape(columns, [kh * high, kw * wide, ...channels]);
  return tf.slice(full, [0, 0, 0, 0], shape);
}
