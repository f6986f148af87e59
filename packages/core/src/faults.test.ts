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

const jsonOf = (model: LayersModel) => model.toJSON(null, false) as unknown as { config: object };
const outputOf = (layer: unknown, shape: number[]) =>
  (sequential({ layers: [layer as never] }).predict(tf.ones([1, ...shape])) as tf.Tensor).dataSync();

describe('faultsOf says what TensorFlow.js would do otherwise, and what to do', () => {
  it.each([
    ['Conv2D', { groups: 2 }, /^odd: .*ignores groups \(2\).*concatenate/],
    ['Conv1D', { padding: 'causal' }, /^odd: .*no causal convolution.*pad the start/],
    ['DepthwiseConv2D', { dilation_rate: [2, 2] }, /^odd: .*ignores dilation_rate/],
    ['GlobalAveragePooling2D', { keepdims: true }, /^odd: .*ignores keepdims: put a Reshape/],
    ['GRU', { reset_after: true }, /^odd: .*reset_after=False/],
    ['InputLayer', { batch_shape: [null, 3] }, /^odd: Keras 3 .*fails to read: save it with Keras 2/],
  ])('%s %o', (kind, config, message) => {
    expect(faultsOf(topologyOf(kind, config))).toEqual([expect.stringMatching(message)]);
  });

  it('nothing of what is as it should be', () => {
    const fine = { groups: 1, padding: 'same', dilation_rate: [1, 1], keepdims: false, reset_after: false };
    for (const kind of ['Conv2D', 'DepthwiseConv2D', 'GlobalMaxPooling2D', 'GRU', 'SeparableConv2D']) {
      expect(faultsOf(topologyOf(kind, fine))).toEqual([]);
    }
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
