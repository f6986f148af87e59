import { layers } from '@tensorflow/tfjs-layers';
import type { Maker } from '../builder.ts';
import { dense } from './dense.ts';
import { activationOf, heldBy } from './shared.ts';

const sameOrValid = (option: number) => (option % 2 === 0 ? ('same' as const) : ('valid' as const));

/** Of one, two or three dimensions; now and then with the channels first, whatever the axes were before. */
export const conv: Maker = (builder, from, shape, step) => {
  const { size, option, other } = step;
  if (shape.length === 1) return dense(builder, from, shape, step);
  const kernelSize = 1 + (option % 3);
  const dataFormat =
    shape.length > 2 && option === 7 ? ('channelsFirst' as const) : ('channelsLast' as const);
  const window = dataFormat === 'channelsFirst' ? shape.slice(1) : shape.slice(0, -1);
  if (Math.min(...window) < kernelSize) return;
  const args = {
    ...heldBy(other),
    filters: size,
    kernelSize,
    padding: sameOrValid(option),
    strides: option === 5 ? 2 : 1,
    activation: activationOf(other),
    useBias: option !== 6,
    dataFormat,
    name: builder.name('conv'),
  };
  const kinds = [layers.conv1d, layers.conv2d, layers.conv3d];
  builder.apply(kinds[shape.length - 2]!(args), from);
};

export const transposed: Maker = (builder, from, shape, step) => {
  if (shape.length < 3) return conv(builder, from, shape, step);
  const { size, option, other } = step;
  const strides = option % 4 === 1 && Math.max(...shape.slice(0, -1)) < 4 ? 2 : 1;
  const args = {
    filters: size,
    kernelSize: 1 + (option % 2),
    padding: sameOrValid(option),
    strides,
    activation: activationOf(other),
    useBias: option !== 6,
    name: builder.name('transposed'),
  };
  const layer = shape.length === 3 ? layers.conv2dTranspose(args) : layers.conv3dTranspose(args);
  builder.apply(layer, from);
};

export const depthwise: Maker = (builder, from, shape, step) => {
  if (shape.length !== 3) return conv(builder, from, shape, step);
  const layer = layers.depthwiseConv2d({
    kernelSize: 1 + (step.option % 3),
    depthMultiplier: 1 + (step.size % 3),
    padding: 'same',
    useBias: step.option < 6,
    dataFormat: step.option === 7 ? 'channelsFirst' : 'channelsLast',
    activation: activationOf(step.other),
    name: builder.name('depthwise'),
  });
  builder.apply(layer, from);
};

export const separable: Maker = (builder, from, shape, step) => {
  if (shape.length !== 3) return conv(builder, from, shape, step);
  const layer = layers.separableConv2d({
    filters: step.size,
    kernelSize: 1 + (step.option % 3),
    depthMultiplier: 1 + (step.other % 2),
    padding: 'same',
    useBias: step.option < 6,
    activation: activationOf(step.option),
    name: builder.name('separable'),
  });
  builder.apply(layer, from);
};

const mapPools = [
  [layers.averagePooling1d, layers.maxPooling1d],
  [layers.averagePooling2d, layers.maxPooling2d],
  [layers.averagePooling3d, layers.maxPooling3d],
] as const;

export const pool: Maker = (builder, from, shape, { option }) => {
  const dataFormat =
    shape.length > 2 && option === 7 ? ('channelsFirst' as const) : ('channelsLast' as const);
  const window = dataFormat === 'channelsFirst' ? shape.slice(1) : shape.slice(0, -1);
  if (shape.length === 1 || window.some((n) => n < 2)) return;
  const args = {
    poolSize: 2,
    strides: 1 + (option % 2),
    padding: option % 4 < 2 ? ('same' as const) : ('valid' as const),
    ...(shape.length > 2 && { dataFormat }),
    name: builder.name('pool'),
  };
  const [average, max] = mapPools[shape.length - 2]!;
  builder.apply((option < 4 ? average : max)(args as never), from);
};

/** A map or sequence to one number for each channel; what has three dimensions has no such layer, and is flattened. */
export const globalPool: Maker = (builder, from, shape, { option }) => {
  if (shape.length === 1) return;
  const name = builder.name('globalPool');
  const kinds = [
    [layers.globalAveragePooling1d, layers.globalMaxPooling1d],
    [layers.globalAveragePooling2d, layers.globalMaxPooling2d],
    [layers.flatten, layers.flatten],
  ] as const;
  const [average, max] = kinds[shape.length - 2]!;
  builder.apply((option % 2 === 0 ? average : max)({ name }), from);
};

/** Padding, cropping, and making larger. */
export const pad: Maker = (builder, from, shape, { option }) => {
  if (shape.length !== 3) return;
  const name = builder.name('pad');
  const sides = (a: number, b: number): [number, number] => [a, b];
  if (option < 4) {
    builder.apply(layers.zeroPadding2d({ padding: [sides(1, 0), sides(0, 1)], name }), from);
  } else if (option < 6) {
    if (shape[0]! < 3 || shape[1]! < 3) return;
    builder.apply(layers.cropping2D({ cropping: [sides(1, 0), sides(1, 1)], name }), from);
  } else if (shape[0]! < 8 && shape[1]! < 8) {
    builder.apply(layers.upSampling2d({ size: [2, 1], name }), from);
  }
};
