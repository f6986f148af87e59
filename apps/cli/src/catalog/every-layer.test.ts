import '@tensorflow/tfjs-backend-cpu';
import { prune, shrink } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model as modelOf, type RNN, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { type PrunerName, pruners } from './pruners.ts';

type Layer = ReturnType<typeof layers.dense>;
const fast = { recurrentInitializer: 'glorotUniform' } as const;

/** An input shape, and a layer of six units on it. */
const kinds: Record<string, readonly [shape: number[], make: () => unknown]> = {
  LSTM: [[4, 3], () => layers.lstm({ units: 6, ...fast })],
  Bidirectional: [
    [4, 3],
    () => layers.bidirectional({ layer: layers.gru({ units: 6, ...fast }) as RNN, mergeMode: 'concat' }),
  ],
  StackedRNNCells: [
    [4, 3],
    () => layers.rnn({ cell: [6, 6].map((units) => layers.gruCell({ units, ...fast })) as never }),
  ],
  TimeDistributed: [[4, 3], () => layers.timeDistributed({ layer: layers.dense({ units: 6 }) })],
  ConvLSTM2D: [[3, 4, 4, 2], () => layers.convLstm2d({ filters: 6, kernelSize: 2, ...fast })],
  Embedding: [[4], () => layers.embedding({ inputDim: 5, outputDim: 6 })],
  Conv3D: [[3, 4, 4, 2], () => layers.conv3d({ filters: 6, kernelSize: 2 })],
  Conv2DTranspose: [[3, 3, 2], () => layers.conv2dTranspose({ filters: 6, kernelSize: 2 })],
  SeparableConv2D: [[3, 3, 2], () => layers.separableConv2d({ filters: 6, kernelSize: 2 })],
};

/** Where a pruner's own bounds would let no unit of an untrained network go. */
const bounds: Partial<Record<PrunerName, Record<string, unknown>>> = { distinctiveness: { constant: 100 } };

/** Where a pruner has nothing to go by: the lower of two cells has no normalisation behind it. */
const scopes: Partial<Record<PrunerName, Record<string, readonly string[]>>> = {
  slimming: { StackedRNNCells: ['*/cell/1'] },
};

it.each(Object.keys(pruners) as PrunerName[])('%s judges the units of every kind of layer', async (name) => {
  for (const [kind, [shape, make]] of Object.entries(kinds)) {
    const source = input({ shape });
    const on = (layer: unknown, tensor: SymbolicTensor) => (layer as Layer).apply(tensor) as SymbolicTensor;
    const made = on(make(), source);
    const vector = made.shape.length > 2 ? on(layers.flatten(), made) : made;
    // slimming goes by its scales
    const normal = on(layers.batchNormalization(), vector);
    const outputs = on(layers.dense({ units: 2, activation: 'softmax' }), normal);
    const model = modelOf({ inputs: source, outputs });
    model.compile({ optimizer: tf.train.sgd(0.05), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const x = tf.randomUniform([8, ...shape], 0, 5, kind === 'Embedding' ? 'int32' : 'float32', 3);
    const y = tf.oneHot(tf.tensor1d([0, 1, 1, 0, 1, 0, 0, 1], 'int32'), 2);
    const scope = scopes[name]?.[kind];
    const callback = prune(pruners[name].make(bounds[name] ?? {}, 1), {
      budget: { count: 2 },
      ...(scope && { scope }),
    });
    await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: [callback] });
    const small = await shrink(model);
    expect(small.countParams(), kind).toBeLessThan(model.countParams());
    expect(
      tf.tidy(() => (small.predict(x) as tf.Tensor).dataSync().every(Number.isFinite)),
      kind,
    ).toBe(true);
  }
});
