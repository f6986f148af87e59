import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import type { Layer } from '../graph/rule.ts';
import { liven } from './build.ts';
import { normal, uniform } from './random.ts';

/** Convolution, normalisation, a residual, a nested model, Flatten and Dense: 6x6 images in, 3 classes out. */
export function smallResNet(): LayersModel {
  const image = input({ shape: [6, 6, 2], name: 'image' });
  const conv = (name: string, filters: number) =>
    layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, name });
  const stem = layers
    .batchNormalization({ name: 'stem_norm' })
    .apply(conv('stem', 6).apply(image)) as SymbolicTensor;
  const relu = layers.activation({ activation: 'tanh', name: 'stem_act' }).apply(stem) as SymbolicTensor;
  const inner = input({ shape: [6, 6, 6], name: 'inner_in' });
  const branch = modelOf({
    inputs: inner,
    outputs: layers
      .batchNormalization({ name: 'branch_norm' })
      .apply(conv('branch', 6).apply(inner)) as SymbolicTensor,
    name: 'block',
  }) as unknown as Layer;
  const sum = layers.add({ name: 'sum' }).apply([relu, branch.apply(relu) as SymbolicTensor]);
  const depthwise = layers
    .depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, name: 'depthwise', activation: 'elu' })
    .apply(sum);
  const pooled = layers.maxPooling2d({ poolSize: 2, name: 'pool' }).apply(depthwise);
  const flat = layers.flatten({ name: 'flat' }).apply(pooled);
  const hidden = layers.dense({ units: 8, activation: 'tanh', name: 'hidden' }).apply(flat);
  const outputs = layers.dense({ units: 3, name: 'logits' }).apply(hidden) as SymbolicTensor;
  const model = modelOf({ inputs: image, outputs, name: 'small_res_net' });
  liven(model, 1);
  return model;
}

/** A Sequential network: 4 inputs, hidden layers of 6 and 5, 2 outputs. */
export function smallMlp(): LayersModel {
  const model = sequential({
    name: 'mlp',
    layers: [
      layers.dense({ units: 6, activation: 'tanh', inputShape: [4], name: 'first' }),
      layers.dense({ units: 5, activation: 'tanh', name: 'second' }),
      layers.dense({ units: 2, name: 'logits' }),
    ],
  });
  liven(model, 2);
  return model;
}

/** Inputs and targets that fit a model with one of each. */
export function task(model: LayersModel, count: number, seed = 5): { x: tf.Tensor; y: tf.Tensor } {
  const [next, even] = [normal(seed), uniform(seed)];
  const full = (shape: readonly (number | null)[]) => [count, ...(shape.slice(1) as number[])];
  const draw = (shape: readonly (number | null)[], from: () => number) => {
    const length = full(shape).reduce((total, n) => total * n, 1);
    return tf.tensor(Float32Array.from({ length }, from), full(shape));
  };
  return { x: draw(model.inputs[0]!.shape, next), y: draw(model.outputs[0]!.shape, even) };
}
