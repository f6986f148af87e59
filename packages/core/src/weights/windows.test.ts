import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyzeInternals } from '../graph/analyze.ts';
import { linearLayer, matrixOf, windowsOf } from './windows.ts';

/** How far a layer's own sums are from its windows times its kernel. */
function distance(model: LayersModel): number {
  const { layers } = analyzeInternals(model).trace;
  const linear = layers.flatMap((layer) => linearLayer(layer) ?? []);
  expect(linear).toHaveLength(1);
  const { kernel, bias } = linear[0]!;
  return tf.tidy(() => {
    const x = tf.randomNormal([3, ...(model.inputs[0]!.shape.slice(1) as number[])], 0, 1, 'float32', 1);
    const product = tf.matMul(
      windowsOf(linear[0]!, x),
      tf.reshape(kernel.variable.read(), matrixOf(kernel)) as tf.Tensor2D,
    );
    const sums = bias ? tf.add(product, bias.variable.read()) : product;
    const own = tf.reshape(model.predictOnBatch(x) as tf.Tensor, sums.shape);
    return tf.max(tf.abs(tf.sub(own, sums))).dataSync()[0]!;
  });
}

const one = (layer: Parameters<ReturnType<typeof sequential>['add']>[0]): LayersModel => {
  const model = sequential({ layers: [layer] });
  const drawn = model.getWeights().map(({ shape }, i) => tf.randomNormal(shape, 0, 1, 'float32', i + 1));
  model.setWeights(drawn);
  return model;
};

describe('windowsOf', () => {
  it.each([
    ['dense', layers.dense({ units: 3, inputShape: [4] })],
    ['dense on a sequence', layers.dense({ units: 3, inputShape: [5, 4] })],
    ['conv1d', layers.conv1d({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', inputShape: [7, 2] })],
    ['conv3d', layers.conv3d({ filters: 2, kernelSize: [2, 1, 2], inputShape: [3, 3, 4, 2] })],
  ])('rows times the kernel are the sums of a %s layer', (_, layer) => {
    expect(distance(one(layer))).toBeLessThan(1e-5);
  });

  it('rows times the kernel are the sums of any conv2d layer', () => {
    fc.assert(
      fc.property(
        fc.record({
          kernelSize: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
          stride: fc.integer({ min: 1, max: 3 }),
          dilation: fc.integer({ min: 1, max: 2 }),
          padding: fc.constantFrom('same', 'valid'),
          useBias: fc.boolean(),
          side: fc.integer({ min: 5, max: 8 }),
        }),
        ({ kernelSize, stride, dilation, padding, useBias, side }) => {
          // TensorFlow.js takes one of the two
          const strides = dilation > 1 ? 1 : stride;
          const layer = layers.conv2d({
            filters: 2,
            ...{ kernelSize, strides, dilationRate: dilation, padding, useBias },
            inputShape: [side, side + 1, 2],
          });
          expect(distance(one(layer))).toBeLessThan(1e-4);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are none of a transposed convolution', () => {
    const model = one(layers.conv2dTranspose({ filters: 2, kernelSize: 2, inputShape: [3, 3, 1] }));
    expect(analyzeInternals(model).trace.layers.flatMap((layer) => linearLayer(layer) ?? [])).toEqual([]);
  });
});
