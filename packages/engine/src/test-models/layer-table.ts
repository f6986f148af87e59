import { layers } from '@tensorflow/tfjs-layers';

type Layer = InstanceType<typeof layers.Layer>;

/** One layer under settings that could go wrong, and the shapes that it is tried on, without the batch axis. */
export interface LayerCase {
  readonly make: () => Layer;
  readonly inputs: readonly (readonly number[])[];
  /** Whole numbers below 5 as input, which has then no gradient. */
  readonly indices?: boolean;
  /** Why the gradients of the cpu backend are no reference here. */
  readonly cpuIsWrong?: string | undefined;
  /** Added to inputs that lie between -1 and 1. */
  readonly shift?: number;
}

const of = (make: () => Layer, ...inputs: number[][]): LayerCase => ({ make, inputs });
const one = (inputs: number[], make: () => Layer): LayerCase => of(make, inputs);

const image = [7, 6, 3];
const volume = [4, 5, 4, 2];
const series = [6, 3];
const padded = { padding: 'same' } as const;

const avgPoolIsWrong =
  'its AvgPoolGrad divides by the size of the window, its AvgPool by the values in the window';

const nearestIsWrong = 'its ResizeNearestNeighborGrad reads dy at wrong places';
const bilinearIsWrong = 'its ResizeBilinearGrad swaps height and width';

const cpuWrong = (cpuIsWrong: string, row: LayerCase): LayerCase => ({ ...row, cpuIsWrong });

/** One pooling in one to three dimensions, over inputs of both signs and over negative ones. */
function poolings(
  kind: 'maxPooling' | 'averagePooling',
  paddedIsWrong?: string,
): Readonly<Record<string, LayerCase>> {
  const rows: Record<string, LayerCase> = {};
  for (const shift of [0, -2]) {
    const add = (what: string, row: LayerCase): void => {
      rows[`${kind}${what}${shift < 0 ? ', negative' : ''}`] = { ...row, shift };
    };
    const same = (inputs: number[], make: LayerCase['make']): LayerCase => ({
      ...one(inputs, make),
      cpuIsWrong: paddedIsWrong,
    });
    const [one1d, one2d, one3d] = [layers[`${kind}1d`], layers[`${kind}2d`], layers[`${kind}3d`]];
    add(
      '1d',
      one([6, 3], () => one1d({ poolSize: 2 })),
    );
    add(
      '1d, same',
      same([7, 3], () => one1d({ poolSize: 3, strides: 2, ...padded })),
    );
    add(
      '2d',
      one([6, 5, 3], () => one2d({ poolSize: 2 })),
    );
    add(
      '2d, overlapping',
      one([6, 5, 2], () => one2d({ poolSize: 3, strides: 1 })),
    );
    add(
      '2d, same',
      same([7, 6, 3], () => one2d({ poolSize: 3, strides: 2, ...padded })),
    );
    add(
      '3d',
      one(volume, () => one3d({ poolSize: [2, 2, 2] })),
    );
    add('3d, overlapping', {
      ...one(volume, () => one3d({ poolSize: [2, 3, 2], strides: [1, 1, 1] })),
      cpuIsWrong: kind === 'maxPooling' ? 'its MaxPool3DGrad mistakes the place of the maximum' : undefined,
    });
    add(
      '3d, same',
      same(volume, () => one3d({ poolSize: [3, 3, 3], strides: [2, 2, 2], ...padded })),
    );
  }
  return rows;
}

/** Those that can take channels first, which the others have last. */
function channelsFirst(): Readonly<Record<string, LayerCase>> {
  const first = { dataFormat: 'channelsFirst' } as const;
  const makers: Readonly<Record<string, LayerCase>> = {
    conv2d: one([3, 7, 6], () =>
      layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, ...padded, ...first }),
    ),
    conv3d: one([2, 4, 3, 4], () => layers.conv3d({ filters: 2, kernelSize: 2, ...first })),
    depthwiseConv2d: one([3, 5, 4], () => layers.depthwiseConv2d({ kernelSize: 3, ...padded, ...first })),
    conv2dTranspose: one([2, 4, 3], () =>
      layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, ...first }),
    ),
    conv3dTranspose: one([2, 3, 2, 3], () => layers.conv3dTranspose({ filters: 2, kernelSize: 2, ...first })),
    maxPooling2d: one([2, 6, 5], () => layers.maxPooling2d({ poolSize: 2, ...first })),
    averagePooling2d: one([2, 6, 5], () => layers.averagePooling2d({ poolSize: 2, ...first })),
    maxPooling3d: one([2, 4, 5, 4], () => layers.maxPooling3d({ poolSize: [2, 2, 2], ...first })),
    averagePooling3d: one([2, 4, 5, 4], () => layers.averagePooling3d({ poolSize: [2, 2, 2], ...first })),
    globalAveragePooling2d: one([2, 4, 3], () => layers.globalAveragePooling2d(first)),
    globalMaxPooling2d: one([2, 4, 3], () => layers.globalMaxPooling2d(first)),
    upSampling2d: cpuWrong(
      nearestIsWrong,
      one([2, 3, 4], () => layers.upSampling2d({ size: [2, 3], ...first })),
    ),
    zeroPadding2d: one([2, 4, 3], () => layers.zeroPadding2d({ padding: 1, ...first })),
    cropping2D: one([2, 5, 4], () => layers.cropping2D({ cropping: [[1, 2], [0, 1]], ...first })), // biome-ignore format: sides
  };
  return Object.fromEntries(Object.entries(makers).map(([name, row]) => [`${name}, channels first`, row]));
}

/** Layers by the name of their factory in `tf.layers`, then by what is special. */
export const layerTable: Readonly<Record<string, LayerCase>> = {
  dense: one([5], () => layers.dense({ units: 4 })),
  'dense, no bias': one([5], () => layers.dense({ units: 4, useBias: false })),
  'dense along time': one(series, () => layers.dense({ units: 4, activation: 'tanh' })),
  ...Object.fromEntries(
    (
      [
        'elu',
        'hardSigmoid',
        'linear',
        'relu',
        'relu6',
        'selu',
        'sigmoid',
        'softmax',
        'softplus',
        'softsign',
        'tanh',
        'swish',
        'mish',
        'gelu',
        'gelu_new',
      ] as const
    ).flatMap((activation) => [
      [`dense, ${activation}`, one([5], () => layers.dense({ units: 4, activation: activation as 'relu' }))],
      [
        `activation, ${activation}`,
        one([3, 7], () => layers.activation({ activation: activation as 'relu' })),
      ],
    ]),
  ),
  conv1d: one(series, () => layers.conv1d({ filters: 4, kernelSize: 3 })),
  'conv1d, same, strided': one(series, () =>
    layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, ...padded }),
  ),
  conv2d: one(image, () => layers.conv2d({ filters: 4, kernelSize: 3, activation: 'relu' })),
  'conv2d, same, strided': one(image, () =>
    layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, ...padded }),
  ),
  'conv2d, stride beyond the window': one(image, () =>
    layers.conv2d({ filters: 2, kernelSize: 1, strides: 2, ...padded }),
  ),
  'conv2d, oblong': one(image, () => layers.conv2d({ filters: 2, kernelSize: [2, 3], strides: [1, 2] })),
  'conv1d, dilated': one([8, 3], () => layers.conv1d({ filters: 2, kernelSize: 3, dilationRate: 2 })),
  'conv2d, dilated': one(image, () =>
    layers.conv2d({ filters: 2, kernelSize: [2, 3], dilationRate: [3, 2], activation: 'relu' }),
  ),
  'conv2d, dilated, same': one(image, () =>
    layers.conv2d({ filters: 2, kernelSize: 3, dilationRate: 2, activation: 'relu', ...padded }),
  ),
  'conv2d, dilated, elu': one(image, () =>
    layers.conv2d({ filters: 2, kernelSize: [3, 2], dilationRate: [2, 1], activation: 'elu' }),
  ),
  'conv2d, pointwise': one(image, () => layers.conv2d({ filters: 4, kernelSize: 1, useBias: false })),
  conv3d: one(volume, () => layers.conv3d({ filters: 3, kernelSize: 2 })),
  'conv3d, same': one(volume, () => layers.conv3d({ filters: 3, kernelSize: 3, ...padded })),
  'conv3d, same, strided': one(volume, () =>
    layers.conv3d({ filters: 2, kernelSize: 2, strides: [2, 1, 2], ...padded }),
  ),
  'conv3d, oblong': one(volume, () => layers.conv3d({ filters: 2, kernelSize: [1, 2, 3], strides: 2 })),
  depthwiseConv2d: one(image, () => layers.depthwiseConv2d({ kernelSize: 3 })),
  'depthwiseConv2d, same, strided, twice as deep': one(image, () =>
    layers.depthwiseConv2d({ kernelSize: 3, strides: 2, depthMultiplier: 2, ...padded }),
  ),
  separableConv2d: one(image, () => layers.separableConv2d({ filters: 4, kernelSize: 3 })),
  'separableConv2d, same, strided': one(image, () =>
    layers.separableConv2d({ filters: 4, kernelSize: 3, strides: 2, ...padded }),
  ),
  'separableConv2d, dilated': one(image, () =>
    layers.separableConv2d({ filters: 4, kernelSize: 2, depthMultiplier: 2, dilationRate: [2, 3] }),
  ),
  conv2dTranspose: one([4, 3, 2], () => layers.conv2dTranspose({ filters: 3, kernelSize: 3 })),
  'conv2dTranspose, same, strided': one([4, 3, 2], () =>
    layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, ...padded }),
  ),
  conv3dTranspose: one([3, 2, 3, 2], () => layers.conv3dTranspose({ filters: 3, kernelSize: 2 })),
  'conv3dTranspose, same, strided': one([2, 3, 2, 2], () =>
    layers.conv3dTranspose({ filters: 3, kernelSize: 3, strides: 2, ...padded }),
  ),
  ...poolings('maxPooling'),
  ...poolings('averagePooling', avgPoolIsWrong),
  globalAveragePooling1d: one(series, () => layers.globalAveragePooling1d({})),
  globalAveragePooling2d: one(image, () => layers.globalAveragePooling2d({})),
  globalMaxPooling1d: one(series, () => layers.globalMaxPooling1d({})),
  globalMaxPooling2d: one(image, () => layers.globalMaxPooling2d({})),
  batchNormalization: one([5], () => layers.batchNormalization({})),
  'batchNormalization, image': one(image, () => layers.batchNormalization({})),
  'batchNormalization, along time': one(series, () => layers.batchNormalization({})),
  layerNormalization: one([5], () => layers.layerNormalization({})),
  'layerNormalization, along time': one(series, () => layers.layerNormalization({})),
  'layerNormalization, over an image': one([4, 3, 2], () => layers.layerNormalization({ axis: [1, 2, 3] })),
  embedding: { ...one([6], () => layers.embedding({ inputDim: 5, outputDim: 3 })), indices: true },
  simpleRNN: one(series, () => layers.simpleRNN({ units: 3 })),
  gru: one(series, () => layers.gru({ units: 3 })),
  'gru, whole sequence, backwards': one(series, () =>
    layers.gru({ units: 3, returnSequences: true, goBackwards: true }),
  ),
  lstm: one(series, () => layers.lstm({ units: 3 })),
  'lstm, whole sequence': one(series, () =>
    layers.lstm({ units: 3, returnSequences: true, recurrentActivation: 'sigmoid' }),
  ),
  rnn: one(series, () => layers.rnn({ cell: [layers.lstmCell({ units: 2 }), layers.gruCell({ units: 3 })] })),
  bidirectional: one(series, () =>
    layers.bidirectional({
      layer: layers.lstm({ units: 2, returnSequences: true }) as never,
      mergeMode: 'concat',
    }),
  ),
  'bidirectional, sum': one(series, () =>
    layers.bidirectional({ layer: layers.gru({ units: 2 }) as never, mergeMode: 'sum' }),
  ),
  timeDistributed: one([3, 5, 4, 2], () =>
    layers.timeDistributed({ layer: layers.conv2d({ filters: 2, kernelSize: 2 }) }),
  ),
  'timeDistributed, dense': one(series, () => layers.timeDistributed({ layer: layers.dense({ units: 2 }) })),
  convLstm2d: one([3, 5, 4, 2], () => layers.convLstm2d({ filters: 2, kernelSize: 3 })),
  'convLstm2d, same, strided': one([2, 5, 4, 2], () =>
    layers.convLstm2d({ filters: 2, kernelSize: 2, strides: 2, returnSequences: true, ...padded }),
  ),
  prelu: one(image, () => layers.prelu()),
  'prelu, shared': one(image, () => layers.prelu({ sharedAxes: [1, 2] })),
  elu: one([7], () => layers.elu({})),
  leakyReLU: one([7], () => layers.leakyReLU({ alpha: 0.2 })),
  reLU: one([7], () => layers.reLU({ maxValue: 2 })),
  thresholdedReLU: one([7], () => layers.thresholdedReLU({ theta: 0.6 })),
  softmax: one([5], () => layers.softmax({})),
  upSampling2d: cpuWrong(
    nearestIsWrong,
    one([3, 4, 2], () => layers.upSampling2d({ size: [2, 3] })),
  ),
  'upSampling2d, bilinear': cpuWrong(
    bilinearIsWrong,
    one([3, 4, 2], () => layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' })),
  ),
  resizing: cpuWrong(
    bilinearIsWrong,
    one([3, 4, 2], () => layers.resizing({ height: 5, width: 7 })),
  ),
  'resizing, smaller': cpuWrong(
    nearestIsWrong,
    one([6, 7, 2], () => layers.resizing({ height: 3, width: 4, interpolation: 'nearest' })),
  ),
  'zeroPadding2d': one(image, () => layers.zeroPadding2d({ padding: [[1, 2], [0, 1]] })), // biome-ignore format: sides
  'cropping2D': one(image, () => layers.cropping2D({ cropping: [[1, 2], [0, 1]] })), // biome-ignore format: sides
  rescaling: one(image, () => layers.rescaling({ scale: 0.5, offset: 1 })),
  flatten: one(image, () => layers.flatten()),
  reshape: one(image, () => layers.reshape({ targetShape: [6, 21] })),
  permute: one(image, () => layers.permute({ dims: [3, 1, 2] })),
  repeatVector: one([5], () => layers.repeatVector({ n: 3 })),
  masking: one(series, () => layers.masking({ maskValue: 0 })),
  add: of(() => layers.add(), series, series, series),
  average: of(() => layers.average(), series, series),
  multiply: of(() => layers.multiply(), series, series),
  maximum: of(() => layers.maximum(), series, series),
  minimum: of(() => layers.minimum(), series, series),
  concatenate: of(() => layers.concatenate(), series, [6, 2]),
  'concatenate, other axis': of(() => layers.concatenate({ axis: 1 }), series, [2, 3]),
  dot: of(() => layers.dot({ axes: 1 }), [5], [5]),
  'dot, matrices': of(() => layers.dot({ axes: [2, 2] }), series, [4, 3]),
  'dot, matrices, first axis': of(() => layers.dot({ axes: [1, 1] }), series, [6, 2]),
  'dot, normalized': of(() => layers.dot({ axes: 1, normalize: true }), [5], [5]),
  ...channelsFirst(),
};

/** Factories that the table leaves out. */
export const withoutGradient: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    'dropout alphaDropout gaussianDropout gaussianNoise spatialDropout1d randomWidth'
      .split(' ')
      .map((name) => [name, 'random']),
  ),
  ...Object.fromEntries(
    'Layer RNN RNNCell simpleRNNCell gruCell lstmCell convLstm2dCell stackedRNNCells'
      .split(' ')
      .map((name) => [name, 'a part of another layer']),
  ),
  ...Object.fromEntries(
    'avgPool1d avgPool2d avgPool3d avgPooling1d avgPooling2d avgPooling3d globalMaxPool1d globalMaxPool2d maxPool1d maxPool2d'
      .split(' ')
      .map((name) => [name, 'another name of a pooling layer']),
  ),
  centerCrop: 'has none in TensorFlow.js; see upstreamFailures',
  input: 'computes nothing',
  inputLayer: 'computes nothing',
  categoryEncoding: 'turns numbers into categories: no gradient',
};

/** One layer that TensorFlow.js itself refuses to train. */
export interface UpstreamFailure {
  readonly row: LayerCase;
  readonly message: RegExp;
  /** The only engine that refuses it. Default: all do, before any kernel is reached. */
  readonly only?: 'wasm';
}

/** What can't be trained through no fault of our kernels: it fails in tfjs-core, tfjs-layers or a shipped kernel. */
export const upstreamFailures: Readonly<Record<string, UpstreamFailure>> = {
  'the gradient of a dilated Conv2D with another activation than relu or elu': {
    row: one(image, () => layers.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2 })),
    message: /dilation rates greater than 1 are not yet supported in gradients/,
  },
  'the gradient of a dilated Conv3D': {
    row: one([5, 5, 5, 2], () => layers.conv3d({ filters: 2, kernelSize: 2, dilationRate: 2 })),
    message: /dilation rates greater than 1 are not yet supported in gradients/,
  },
  'Conv1D with causal padding': {
    row: one(series, () => layers.conv1d({ filters: 2, kernelSize: 2, padding: 'causal' })),
    message: /CAUSAL padding mode in conv1dWithBias is not implemented/,
  },
  'SeparableConv2D with channels first': {
    row: one([2, 5, 5], () =>
      layers.separableConv2d({ filters: 3, kernelSize: 2, dataFormat: 'channelsFirst' }),
    ),
    message: /could not be broadcast together/,
  },
  'ConvLSTM2D with channels first': {
    row: one([2, 2, 4, 4], () =>
      layers.convLstm2d({ filters: 2, kernelSize: 2, dataFormat: 'channelsFirst' }),
    ),
    message: /does not support dataFormat/,
    only: 'wasm',
  },
  'BatchNormalization of volumes': {
    row: one(volume, () => layers.batchNormalization({})),
    message: /not implemented for array of rank 5/,
  },
  'BatchNormalization without scale or without shift': {
    row: one(image, () => layers.batchNormalization({ scale: false })),
    message: /reading 'read'/,
  },
  'BatchNormalization over another axis than the last': {
    row: one(series, () => layers.batchNormalization({ axis: 1 })),
    message: /must match the product of shape/,
  },
  'GRU with its reset gate after the matrix': {
    row: one(series, () => layers.gru({ units: 2, resetAfter: true } as Parameters<typeof layers.gru>[0])),
    message: /does not support reset_after/,
  },
  'an activity regularizer': {
    row: one([5], () => layers.dense({ units: 2, activityRegularizer: 'l1l2' })),
    message: /presence of activity regularizer/,
  },
  'the gradient of CenterCrop': {
    row: one(image, () => layers.centerCrop({ height: 4, width: 4 })),
    message: /gradient function not found for CropAndResize/,
  },
  'Softmax over another axis than the last': {
    row: one([3, 5], () => layers.softmax({ axis: 1 })),
    message: /Softmax along a non-last dimension is not yet supported/,
  },
};
