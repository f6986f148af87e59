import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, Sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildModel, lenet, type ModelName, mlp, models } from './index.ts';

const kernels = (model: LayersModel): Float32Array[] =>
  model.weights.filter((w) => w.shape.length > 1).map((w) => w.read().dataSync() as Float32Array);

const shapeOf = (model: LayersModel, layer: string): (number | null)[] =>
  model.getLayer(layer).outputShape as (number | null)[];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('lenet', () => {
  it('has the order of the angle paper: convolution, max pooling, activation', () => {
    expect((lenet() as Sequential).layers.map((layer) => layer.name)).toEqual([
      'conv1',
      'pool1',
      'act1',
      'conv2',
      'pool2',
      'act2',
      'flatten',
      'fc1',
      'fc2',
    ]);
  });

  it.each([
    [[10, 20], 320, 21_840],
    [[10, 40], 640, 42_860],
    [[10, 10], 160, 11_330],
  ])('with convolutions %j gives fc1 %i inputs and has %i parameters', (conv, inputs, params) => {
    const model = lenet({ conv });
    expect(shapeOf(model, 'flatten')).toEqual([null, inputs]);
    expect(model.countParams()).toBe(params);
  });

  it('gives probabilities', () => {
    const out = lenet({ classes: 7 }).predict(tf.ones([2, 28, 28, 1])) as tf.Tensor;
    expect(out.shape).toEqual([2, 7]);
    expect(tf.sum(out, 1).dataSync()[1]).toBeCloseTo(1, 5);
  });

  it('has dropout only when asked', () => {
    const names = (model: LayersModel) => model.layers.map((layer) => layer.name);
    expect(names(lenet())).not.toContain('dropout1');
    expect(names(lenet({ dropout: 0.5 }))).toContain('dropout1');
  });

  it.each([
    [{ conv: [0] }, 'conv[0] must be a whole number of 1 or more, got 0'],
    [{ conv: [] }, 'conv must name one convolution'],
    [{ dense: [2.5] }, 'dense[0] must be a whole number of 1 or more, got 2.5'],
    [{ inputShape: [15, 28, 1] }, 'conv2 gets an image of side 5 and needs 6'],
    [{ inputShape: [28, 28] }, 'must be [height, width, channels], got [28, 28]'],
    [{ classes: 1 }, 'classes must be a whole number of 2 or more, got 1'],
    [{ dropout: 1 }, 'dropout must be 0 or more and below 1, got 1'],
    [{ seed: 0.5 }, 'seed must be a whole number of 0 or more, got 0.5'],
    [{ activation: 'step' as 'relu' }, "unknown activation 'step'. Use one of: elu"],
  ])('refuses %j', (args, message) => {
    expect(() => lenet(args)).toThrow(`[models] `);
    expect(() => lenet(args)).toThrow(message);
  });

  it('takes the smallest input that two convolutions allow', () => {
    expect(shapeOf(lenet({ inputShape: [16, 16, 3] }), 'flatten')).toEqual([null, 20]);
  });
});

describe.each([
  ['mlp', (l2: number) => mlp({ inputs: 2, hidden: [3], classes: 2, l2 }), [1, 2]],
  [
    'lenet',
    (l2: number) => lenet({ inputShape: [8, 8, 1], conv: [2], dense: [3], classes: 2, l2 }),
    [1, 8, 8, 1],
  ],
])('weight decay of %s', (_, build, shape) => {
  it('adds the squared kernel weights to the loss when asked', async () => {
    const lossOf = async (l2: number) => {
      const model = build(l2);
      model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
      const logs = await model.fit(tf.ones(shape), tf.tensor([[1, 0]]), { verbose: 0 });
      return (logs.history.loss as number[])[0]!;
    };
    const squares = kernels(build(0))
      .flatMap((kernel) => [...kernel])
      .reduce((sum, weight) => sum + weight ** 2, 0);
    expect((await lossOf(0.1)) - (await lossOf(0))).toBeCloseTo(0.1 * squares, 5);
    expect(() => build(-1)).toThrow('[models] l2 must be a number of 0 or more, got -1');
  });
});

describe('mlp', () => {
  it('stacks the hidden layers that it is given', () => {
    const model = mlp();
    expect(['fc1', 'fc2', 'fc3', 'fc4'].map((name) => shapeOf(model, name)[1])).toEqual([60, 45, 30, 26]);
  });

  it('flattens an image', () => {
    const out = mlp({ inputs: [4, 4, 1], hidden: [3], classes: 2 }).predict(
      tf.ones([1, 4, 4, 1]),
    ) as tf.Tensor;
    expect(out.shape).toEqual([1, 2]);
  });
});

describe('seeds', () => {
  it('give the same weights again, and others for another seed', () => {
    expect(kernels(lenet({ seed: 3 }))).toEqual(kernels(lenet({ seed: 3 })));
    expect(kernels(lenet({ seed: 3 }))).not.toEqual(kernels(lenet({ seed: 4 })));
  });

  it.each([0, 1, 2 ** 31])('of %i differ from layer to layer, though the layers have one shape', (seed) => {
    const drawn = kernels(mlp({ inputs: 8, hidden: [8, 8, 8], classes: 8, seed }));
    expect(kernels(mlp({ inputs: 8, hidden: [8, 8, 8], classes: 8, seed }))).toEqual(drawn);
    expect(new Set(drawn.map((kernel) => kernel.join())).size).toBe(4);
  });
});

describe('buildModel', () => {
  it.each(Object.keys(models) as ModelName[])('builds %s for the data that it is given', (name) => {
    const model = buildModel(name, { inputShape: [20, 20, 1], classes: 3, seed: 2 });
    expect(model.inputs[0]!.shape).toEqual([null, 20, 20, 1]);
    expect(model.outputs[0]!.shape).toEqual([null, 3]);
  });

  it.each([
    ['lenet-net1', 320],
    ['lenet-net2', 640],
    ['lenet-net3', 160],
  ] as const)('%s has %i features to prune', (name, features) => {
    expect(shapeOf(buildModel(name), 'flatten')).toEqual([null, features]);
  });

  it('names what it knows when it is asked for something else', () => {
    expect(() => buildModel('vgg' as ModelName)).toThrow(
      "[models] unknown model 'vgg'. Use one of: lenet, lenet-net1, lenet-net2, lenet-net3, mlp",
    );
    expect(() => buildModel('toString' as ModelName)).toThrow('unknown model');
    expect(() => buildModel('lenet', { hidden: [3] })).toThrow(
      "[models] lenet has no option 'hidden'. It takes: conv",
    );
    expect(() => buildModel('lenet-net1', { conv: [3, 3] })).toThrow("lenet-net1 has no option 'conv'");
  });
});
