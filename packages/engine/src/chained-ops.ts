import * as tf from '@tensorflow/tfjs-core';

type Op = (...args: unknown[]) => unknown;

/** The operations that as a method do what they do as a function, with the tensor as first argument. */
const plain =
  'abs acos acosh add all any argMax argMin asin asinh atan atan2 atanh avgPool batchNorm batchToSpaceND ' +
  'broadcastTo cast ceil clipByValue conv1d conv2d conv2dTranspose cos cosh cumprod cumsum depthToSpace ' +
  'depthwiseConv2d dilation2d div divNoNan dot elu equal erf euclideanNorm exp expandDims expm1 fft floor ' +
  'floorDiv gather greater greaterEqual ifft irfft isFinite isInf isNaN leakyRelu less lessEqual ' +
  'localResponseNormalization log log1p logSigmoid logSoftmax logSumExp logicalAnd logicalNot logicalOr ' +
  'logicalXor matMul max maxPool maximum mean min minimum mirrorPad mod mul neg norm notEqual oneHot onesLike ' +
  'pad pool pow prelu prod reciprocal relu relu6 reshape reverse rfft round rsqrt selu separableConv2d sigmoid ' +
  'sign sin sinh slice softmax softplus spaceToBatchND split sqrt square squaredDifference squeeze step ' +
  'stridedSlice sub sum tan tanh tile topk transpose unique unsortedSegmentSum unstack zerosLike';

const list = (x: tf.Tensor | tf.Tensor[]): tf.Tensor[] => (Array.isArray(x) ? x : [x]);

/** Those whose method differs from the function. */
const special: Record<string, (x: tf.Tensor, ...args: never[]) => unknown> = {
  as1D: (x) => tf.reshape(x, [x.size]),
  as2D: (x, ...shape: number[]) => tf.reshape(x, shape),
  as3D: (x, ...shape: number[]) => tf.reshape(x, shape),
  as4D: (x, ...shape: number[]) => tf.reshape(x, shape),
  as5D: (x, ...shape: number[]) => tf.reshape(x, shape),
  asScalar: (x) => tf.reshape(x, []),
  asType: (x, dtype: tf.DataType) => tf.cast(x, dtype),
  concat: (x, others: tf.Tensor | tf.Tensor[], axis?: number) => tf.concat([x, ...list(others)], axis),
  flatten: (x) => tf.reshape(x, [x.size]),
  reshapeAs: (x, like: tf.Tensor) => tf.reshape(x, like.shape),
  resizeBilinear: (x: tf.Tensor, ...args: never[]) => (tf.image.resizeBilinear as Op)(x, ...args),
  resizeNearestNeighbor: (x: tf.Tensor, ...args: never[]) =>
    (tf.image.resizeNearestNeighbor as Op)(x, ...args),
  stack: (x, others: tf.Tensor | tf.Tensor[], axis?: number) => tf.stack([x, ...list(others)], axis),
  toBool: (x) => tf.cast(x, 'bool'),
  toFloat: (x) => tf.cast(x, 'float32'),
  toInt: (x) => tf.cast(x, 'int32'),
  where: (x, condition: tf.Tensor, other: tf.Tensor) => tf.where(condition, x, other),
};

/**
 * Gives tensors their operations as methods (`x.square()`), where they lack them: tfjs-layers' recurrent layers
 * and some gradients call them, and the module that adds them can't be imported in Node.
 */
export function registerChainedOps(): void {
  const methods = tf.Tensor.prototype as unknown as Record<string, unknown>;
  const functions = tf as unknown as Record<string, Op>;
  const add = (name: string, run: Op): void => {
    if (name in methods) return;
    methods[name] = function (this: tf.Tensor, ...args: unknown[]): unknown {
      if (this.isDisposed) throw new Error(`[engine] ${name}() was called on a disposed tensor`);
      return run(this, ...args);
    };
  };
  for (const name of plain.split(' ')) add(name, functions[name]!);
  for (const [name, run] of Object.entries(special)) add(name, run as Op);
}
