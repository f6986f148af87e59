import * as tf from '@tensorflow/tfjs-core';
import type { Call } from './kernel.ts';

type Shape4D = [number, number, number, number];

/** The attributes of a convolution, plain or fused, that say where its windows lie. */
export type ConvAttrs = Pick<tf.Conv2DAttrs, 'strides' | 'pad' | 'dilations' | 'dimRoundingMode'>;

/**
 * XNNPACK computes the padding of 'same' as an unsigned number, which wraps around where a stride is longer
 * than its window: the result is wrong or zero. This runs the shipped kernel with that padding spelled out.
 */
export function withSafePadding<Attrs extends ConvAttrs>(
  { inputs: { x, filter }, attrs, shipped }: Call<'x' | 'filter', Attrs>,
  depthwise: boolean,
): tf.TensorInfo {
  const { strides, pad, dilations, dimRoundingMode } = attrs;
  const [high, wide] = [strides].flat();
  if (pad !== 'same' || (high! <= filter.shape[0]! && (wide ?? high!) <= filter.shape[1]!)) return shipped();
  const { top, bottom, left, right } = tf.backend_util.computeConv2DInfo(
    x.shape as Shape4D,
    filter.shape as Shape4D,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    depthwise,
  ).padInfo;
  const padding = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  return shipped({ attrs: { pad: padding } as unknown as Partial<Attrs> });
}
