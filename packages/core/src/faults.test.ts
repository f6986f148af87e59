import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { faultsOf } from './faults.ts';

/** A model.json's topology with one layer, in a model in a model. */
const topologyOf = (class_name: string, config: object) => ({
  model_config: {
    class_name: 'Functional',
    config: {
      name: 'outer',
      layers: [
        {
          class_name: 'TimeDistributed',
          config: { name: 'each', layer: { class_name, config: { name: 'odd', ...config } } },
        },
      ],
    },
  },
});

/** The layers of a Bidirectional one. */
const ways = (there: string, back: string) => ({
  layer: { class_name: there, config: { name: 'there', units: 2, go_backwards: false } },
  backward_layer: { class_name: back, config: { name: 'back', units: 2, go_backwards: true } },
});

const jsonOf = (model: LayersModel) => model.toJSON(null, false) as unknown as { config: object };
const outputOf = (layer: unknown, shape: number[]) =>
  (sequential({ layers: [layer as never] }).predict(tf.ones([1, ...shape])) as tf.Tensor).dataSync();

describe('faultsOf says what TensorFlow.js would do otherwise, and what to do', () => {
  it.each([
    ['Conv2D', { groups: 2 }, /^odd: .*ignores groups \(2\).*concatenate/],
    ['Conv1D', { padding: 'causal' }, /^odd: .*no causal convolution.*pad the start/],
    ['DepthwiseConv2D', { dilation_rate: [2, 2] }, /^odd: .*ignores dilation_rate/],
    ['GlobalAveragePooling2D', { keepdims: true }, /^odd: .*ignores keepdims: put a Reshape/],
    ['Conv1D', { data_format: 'channels_first' }, /^odd: .*as the last axis.*put a Permute/],
    ['GlobalMaxPooling1D', { data_format: 'channels_first' }, /^odd: .*as the last axis.*put a Permute/],
    ['SeparableConv2D', { data_format: 'channels_first', use_bias: true }, /^odd: .*adds the bias/],
    ['Conv2DTranspose', { output_padding: [1, 1] }, /^odd: .*ignores output_padding .*pad or crop/],
    ['Conv3DTranspose', { output_padding: null, dilation_rate: [2, 2, 2] }, /^odd: .*dilation_rate/],
    ['ReLU', { negative_slope: 0.1, threshold: 0 }, /^odd: .*negative_slope.*use a LeakyReLU/],
    ['LSTM', { time_major: true }, /^odd: .*ignores time_major/],
    ['Bidirectional', ways('GRU', 'LSTM'), /^odd: .*ignores backward_layer.*use two layers/],
    ['GRU', { reset_after: true }, /^odd: .*reset_after=False/],
    ['InputLayer', { batch_shape: [null, 3] }, /^odd: Keras 3 .*fails to read: save it with Keras 2/],
  ])('%s %o', (kind, config, message) => {
    expect(faultsOf(topologyOf(kind, config))).toEqual([expect.stringMatching(message)]);
  });

  it('nothing of what is as it should be', () => {
    const fine = {
      data_format: 'channels_first',
      negative_slope: 0,
      threshold: 0,
      output_padding: null,
      groups: 1,
      padding: 'same',
      dilation_rate: [1, 1],
      keepdims: false,
      reset_after: false,
    };
    const kinds = ['Conv2D', 'DepthwiseConv2D', 'GlobalMaxPooling2D', 'GRU', 'SeparableConv2D', 'ReLU'];
    for (const kind of [...kinds, 'Conv2DTranspose']) {
      expect(faultsOf(topologyOf(kind, { ...fine, use_bias: false }))).toEqual([]);
    }
    expect(faultsOf(topologyOf('Bidirectional', ways('GRU', 'GRU')))).toEqual([]);
    expect(faultsOf(null)).toEqual([]);
  });

  it('what TensorFlow.js saves wrongly itself', () => {
    const separable = sequential({
      layers: [
        layers.separableConv2d({
          filters: 2,
          kernelSize: 2,
          depthMultiplier: 3,
          inputShape: [4, 4, 2],
          name: 'odd',
        }),
      ],
    });
    const weights = separable.weights.map(({ originalName: name, shape }) => ({
      name,
      shape: shape as number[],
    }));
    expect(faultsOf(jsonOf(separable), weights)).toEqual([
      expect.stringMatching(/"depth_multiplier": 3 to its config/),
    ]);
    const [kernel] = weights;
    const named = { ...kernel!, name: `inner/odd/part/${kernel!.name.split('/').at(-1)}` };
    const renamed = JSON.parse(JSON.stringify(jsonOf(separable)).replaceAll('"odd"', '"odd/part"'));
    expect(faultsOf(renamed, [named])).toEqual([
      expect.stringMatching(/^odd\/part: .*"depth_multiplier": 3/),
    ]);
    const depthwise = sequential({
      layers: [
        layers.depthwiseConv2d({
          kernelSize: 2,
          depthwiseRegularizer: 'l1l2',
          inputShape: [4, 4, 2],
          name: 'odd',
        }),
      ],
    });
    expect(faultsOf(jsonOf(depthwise))).toEqual([expect.stringMatching(/^odd: .*set that to null/)]);
  });
});

// if one of these fails one day, TensorFlow.js was mended, and its entry may go
describe('TensorFlow.js still', () => {
  const ones = { kernelInitializer: 'ones', depthwiseInitializer: 'ones' } as const;

  it('ignores groups', () => {
    const args = { filters: 2, kernelSize: 1, groups: 2, inputShape: [1, 1, 2], ...ones };
    expect([...outputOf(layers.conv2d(args as never), [1, 1, 2])]).toEqual([2, 2]);
  });

  it('ignores the dilation of a depthwise convolution', () => {
    const args = { kernelSize: 2, dilationRate: 2, inputShape: [3, 3, 1], ...ones };
    expect(outputOf(layers.depthwiseConv2d(args as never), [3, 3, 1])).toHaveLength(4);
  });

  it('ignores keepdims', () => {
    const args = { keepdims: true, inputShape: [2, 2, 3] };
    expect(sequential({ layers: [layers.globalMaxPooling2d(args as never)] }).outputs[0]!.shape).toEqual([
      null,
      3,
    ]);
  });

  it('takes the channels of a sequence as the last axis', () => {
    const dataFormat = 'channelsFirst' as const;
    const conv = layers.conv1d({ filters: 3, kernelSize: 1, dataFormat, inputShape: [2, 5] });
    const [declared, found] = [
      conv.computeOutputShape([1, 2, 5]),
      conv.apply(tf.ones([1, 2, 5])) as tf.Tensor,
    ];
    expect([declared, found.shape]).toEqual([
      [1, 3, 5],
      [1, 5, 3],
    ]);
    const pool = layers.maxPooling1d({ poolSize: 2, dataFormat, inputShape: [2, 5] } as never);
    expect(pool.computeOutputShape([1, 2, 5])).toEqual([1, 1, 5]);
  });

  it('adds the bias of a separable convolution with the channels first along another axis', () => {
    const args = { filters: 3, kernelSize: 1, dataFormat: 'channelsFirst', inputShape: [2, 4, 4] };
    expect(() => outputOf(layers.separableConv2d(args as never), [2, 4, 4])).toThrow(
      /could not be broadcast|Incompatible shapes/,
    );
  });

  it('ignores output_padding, time_major, negative_slope and backward_layer', () => {
    const up = { filters: 1, kernelSize: 2, strides: 2, outputPadding: 1 };
    expect(layers.conv2dTranspose(up as never).computeOutputShape([1, 2, 2, 1])).toEqual([1, 4, 4, 1]);
    const slope = layers.reLU({ negativeSlope: 1 } as never).apply(tf.tensor2d([[-1]])) as tf.Tensor;
    expect([...slope.dataSync()]).toEqual([0]);
    const recurrentInitializer = 'glorotUniform' as const;
    const time = { units: 3, recurrentInitializer, timeMajor: true };
    expect(layers.lstm(time as never).computeOutputShape([4, 1, 2])).toEqual([4, 3]);
    const [layer, backwardLayer] = [2, 5].map((units) => layers.gru({ units, recurrentInitializer }));
    const both = layers.bidirectional({ layer, backwardLayer, mergeMode: 'concat' } as never);
    expect(both.computeOutputShape([1, 4, 2])).toEqual([1, 4]);
  });

  it('fails at causal convolutions', () => {
    const args = { filters: 1, kernelSize: 2, padding: 'causal' as const, inputShape: [3, 1] };
    expect(() => outputOf(layers.conv1d(args), [3, 1])).toThrow('CAUSAL');
  });

  it('fails at the inputs of Keras 3', () => {
    expect(() => layers.inputLayer({ batch_shape: [null, 3] } as never)).toThrow('batchInputShape');
  });

  it('forgets the depth multiplier', () => {
    const layer = layers.separableConv2d({ filters: 1, kernelSize: 1, depthMultiplier: 2 });
    expect(layer.getConfig().depthMultiplier).toBeUndefined();
  });
});
