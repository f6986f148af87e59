import * as tf from '@tensorflow/tfjs-core';
import { contractionOf, windowOf } from '../graph/contraction.ts';
import { product } from '../graph/labels.ts';
import type { TracedLayer, TracedWeight } from '../graph/trace.ts';

/** A layer that is a matrix product at each place of its window. */
export interface LinearLayer {
  readonly layer: TracedLayer;
  readonly kernel: TracedWeight;
  readonly bias: TracedWeight | undefined;
}

/** The layer as such; undefined for all others: no kernel, or a transposed one, whose windows overlap. */
export function linearLayer(layer: TracedLayer): LinearLayer | undefined {
  const kernel = contractionOf(layer);
  if (!kernel) return undefined;
  const [reads, makes] = (['reads', 'makes'] as const).map((role) =>
    kernel.axes.findIndex((axis) => axis?.role === role),
  );
  if (reads !== kernel.shape.length - 2 || makes !== kernel.shape.length - 1) return undefined;
  return { layer, kernel, bias: layer.weights.find((weight) => weight !== kernel) };
}

/** A kernel's shape as a matrix: a window's places are inputs, each with all of its channels. */
export const matrixOf = ({ shape }: TracedWeight): [inputs: number, outputs: number] => [
  product(shape.slice(0, -1)),
  shape.at(-1)!,
];

/**
 * What a kernel is multiplied by: for each place of each example one row with all that its window sees there.
 *
 * @param input what the layer is called on, [examples, ...].
 * @returns shape [rows, inputs].
 */
export function windowsOf({ layer, kernel }: LinearLayer, input: tf.Tensor): tf.Tensor2D {
  const window = windowOf(kernel);
  const [inputs] = matrixOf(kernel);
  if (window.length === 0) return tf.reshape(input, [-1, inputs]);
  const config = layer.layer.getConfig();
  const axes = windowAxes(config, window);
  const channels = input.shape.length - 1;
  const last =
    config.dataFormat === 'channelsFirst'
      ? tf.transpose(input, [0, ...window.map((_, a) => a + 2), 1])
      : input;
  const padded = tf.pad(last, [
    [0, 0],
    ...axes.map((axis, a): [number, number] => borders(last.shape[a + 1]!, axis, config.padding === 'same')),
    [0, 0],
  ]);
  const seen = placesOf(window).map((place) => {
    const begin = axes.map(({ dilation }, a) => place[a]! * dilation);
    const end = axes.map(({ span }, a) => begin[a]! + padded.shape[a + 1]! - span + 1);
    const strides = axes.map(({ stride }) => stride);
    return tf.stridedSlice(
      padded,
      [0, ...begin, 0],
      [padded.shape[0]!, ...end, padded.shape[channels]!],
      [1, ...strides, 1],
    );
  });
  return tf.reshape(tf.concat(seen, channels), [-1, inputs]);
}

/** How a window moves along one axis. */
interface WindowAxis {
  readonly stride: number;
  readonly dilation: number;
  /** How far it reaches, with the gaps that dilation leaves. */
  readonly span: number;
}

function windowAxes(config: Readonly<Record<string, unknown>>, window: readonly number[]): WindowAxis[] {
  const along = (field: string): readonly number[] => {
    const values = [config[field] ?? 1].flat() as number[];
    return window.map((_, a) => values[a] ?? values[0]!);
  };
  const [strides, dilations] = [along('strides'), along('dilationRate')];
  return window.map((size, a) => ({
    stride: strides[a]!,
    dilation: dilations[a]!,
    span: (size - 1) * dilations[a]! + 1,
  }));
}

/** The zeros before and after, as TensorFlow pads. */
function borders(length: number, { stride, span }: WindowAxis, same: boolean): [number, number] {
  if (!same) return [0, 0];
  const missing = Math.max(0, (Math.ceil(length / stride) - 1) * stride + span - length);
  const before = Math.floor(missing / 2);
  return [before, missing - before];
}

/** All places of a window, row-major. */
const placesOf = (window: readonly number[]): number[][] =>
  window.reduce<number[][]>(
    (places, size) => places.flatMap((place) => Array.from({ length: size }, (_, at) => [...place, at])),
    [[]],
  );
