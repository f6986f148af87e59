import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { useEngine } from './index.ts';

type Stack = () => InstanceType<typeof layers.Layer>[];

const initializer = (seed: number) =>
  ({ className: 'RandomNormal', config: { mean: 0, stddev: 0.3, seed } }) as const;

const seeded = (seed: number) => ({ kernelInitializer: initializer(seed) as never });

const lenet = (first: number, second: number, hidden: number): ReturnType<Stack> => [
  layers.conv2d({ inputShape: [28, 28, 1], filters: first, kernelSize: 5, activation: 'relu', ...seeded(1) }),
  layers.maxPooling2d({ poolSize: 2 }),
  layers.conv2d({ filters: second, kernelSize: 5, activation: 'relu', ...seeded(2) }),
  layers.maxPooling2d({ poolSize: 2 }),
  layers.flatten(),
  layers.dense({ units: hidden, activation: 'relu', ...seeded(3) }),
  layers.dense({ units: 3, activation: 'softmax', ...seeded(4) }),
];

/** Inputs that suit the model (whole numbers below 12 for an embedding) and one-hot labels of three classes. */
function fitData(model: LayersModel, rows: number): { x: tf.Tensor; y: tf.Tensor } {
  const shape = [rows, ...(model.inputs[0]!.shape.slice(1) as number[])];
  const words = model.layers[0]!.getClassName() === 'Embedding';
  const data = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) =>
    words ? (i * 7) % 12 : Math.sin(i * 12.9898),
  );
  const classes = tf.tensor1d(
    Array.from({ length: rows }, (_, i) => i % 3),
    'int32',
  );
  const y = tf.tidy(() => tf.cast(tf.oneHot(classes, 3), 'float32'));
  classes.dispose();
  return { x: tf.tensor(data, shape), y };
}

/** The loss after each of a few steps of Adam on one engine, from the same start. */
async function losses(engine: 'wasm' | 'cpu', stack: Stack, steps = 4): Promise<number[]> {
  await useEngine(engine);
  const model = sequential({ layers: stack() });
  model.compile({ optimizer: tf.train.adam(0.005), loss: 'categoricalCrossentropy' });
  const { x, y } = fitData(model, 8);
  const history = await model.fit(x, y, { epochs: steps, batchSize: 8, shuffle: false, verbose: 0 });
  tf.dispose([x, y]);
  model.dispose();
  return history.history.loss as number[];
}

/** What is alive, and where a large tensor would come to lie: what is lost on the heap moves that. */
function heapAndTensors(): object {
  const backend = tf.backend() as unknown as {
    readonly wasm: { readonly HEAPU8: Uint8Array };
    readonly dataIdMap: { get(id: object): { readonly memoryOffset: number } };
  };
  // large: a small one finds its place in one gap or another
  const probe = tf.zeros([1_000_000]);
  const next = backend.dataIdMap.get(probe.dataId).memoryOffset;
  probe.dispose();
  const ids = tf.engine().backend.numDataIds();
  return { ...tf.memory(), ids, heap: backend.wasm.HEAPU8.length, next };
}

const image = { inputShape: [8, 8, 2] };
const top = () => [layers.flatten(), layers.dense({ units: 3, activation: 'softmax', ...seeded(9) })];

const stacks: Record<string, Stack> = {
  lenet: () => lenet(6, 8, 20),
  'strided, padded convolutions with batch normalization': () => [
    layers.conv2d({ ...image, filters: 4, kernelSize: 3, strides: 2, padding: 'same', ...seeded(1) }),
    layers.batchNormalization(),
    layers.activation({ activation: 'relu' }),
    layers.conv2d({ filters: 3, kernelSize: 1, strides: 2, padding: 'same', ...seeded(2) }),
    ...top(),
  ],
  'separable and depthwise convolutions': () => [
    layers.depthwiseConv2d({
      ...image,
      kernelSize: 3,
      padding: 'same',
      depthwiseInitializer: initializer(1) as never,
    }),
    layers.separableConv2d({
      filters: 4,
      kernelSize: 3,
      depthwiseInitializer: initializer(2) as never,
      pointwiseInitializer: initializer(3) as never,
    }),
    layers.averagePooling2d({ poolSize: 2 }),
    ...top(),
  ],
  'transposed convolution and upsampling': () => [
    layers.conv2dTranspose({
      ...image,
      filters: 3,
      kernelSize: 3,
      strides: 2,
      padding: 'same',
      ...seeded(1),
    }),
    layers.conv2d({ filters: 2, kernelSize: 3, activation: 'elu', ...seeded(2) }),
    layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
    ...top(),
  ],
  'a convolution along time': () => [
    layers.conv1d({ inputShape: [10, 3], filters: 4, kernelSize: 3, activation: 'tanh', ...seeded(1) }),
    layers.globalMaxPooling1d({}),
    layers.dense({ units: 3, activation: 'softmax', ...seeded(2) }),
  ],
  'an embedding and a recurrent layer': () => [
    layers.embedding({
      inputDim: 12,
      outputDim: 5,
      inputLength: 6,
      embeddingsInitializer: initializer(1) as never,
    }),
    layers.lstm({ units: 4, recurrentInitializer: initializer(2) as never, ...seeded(3) }),
    layers.dense({ units: 3, activation: 'softmax', ...seeded(4) }),
  ],
};

describe('training on wasm', () => {
  it.each(Object.entries(stacks))('loses what cpu loses: %s', async (_, stack) => {
    const [actual, expected] = [await losses('wasm', stack), await losses('cpu', stack)];
    expect(expected[0]).not.toBeCloseTo(expected.at(-1)!, 3);
    actual.forEach((loss, i) => {
      expect(Math.abs(loss / expected[i]! - 1)).toBeLessThan(1e-4);
    });
  });

  /** Trains a model twice as long as given, and expects to find everything after the second half as it was before. */
  async function expectNothingLeft(model: LayersModel, rows: number, epochs: number): Promise<void> {
    model.compile({ optimizer: tf.train.adam(0.005), loss: 'categoricalCrossentropy' });
    const { x, y } = fitData(model, rows);
    const fit = async (times: number): Promise<unknown> =>
      model.fit(x, y, { epochs: times, batchSize: 4, verbose: 0, yieldEvery: 'never' });
    // gaps that other models left take a while to fill
    await fit(Math.min(50, epochs));
    const before = heapAndTensors();
    await fit(epochs);
    expect(heapAndTensors()).toEqual(before);
    tf.dispose([x, y]);
    model.dispose();
  }

  it('leaves tensors, bytes and the heap where they were in a thousand steps', async () => {
    await useEngine('wasm');
    await expectNothingLeft(sequential({ layers: lenet(3, 4, 40) }), 8, 500);
  });

  it.each(Object.entries(stacks))('leaves nothing behind in twenty steps: %s', async (_, stack) => {
    await useEngine('wasm');
    await expectNothingLeft(sequential({ layers: stack() }), 4, 20);
  });
});
