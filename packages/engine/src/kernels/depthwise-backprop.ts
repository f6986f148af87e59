import * as tf from '@tensorflow/tfjs-core';
import type { Windows } from './window.ts';
import { windowsOf } from './window.ts';

type Shape4D = [number, number, number, number];

/** What both depthwise gradients are called with, apart from the shape that they look for. */
export type DepthwiseAttrs = Omit<tf.DepthwiseConv2dNativeBackpropFilterAttrs, 'filterShape'>;

/** The windows of a depthwise convolution. */
export function depthwiseWindows(
  inputShape: number[],
  filterShape: number[],
  attrs: DepthwiseAttrs,
): Windows {
  const { strides, dilations, pad, dimRoundingMode } = attrs;
  return windowsOf(
    tf.backend_util.computeConv2DInfo(
      inputShape as Shape4D,
      filterShape as Shape4D,
      strides,
      dilations,
      pad,
      dimRoundingMode,
      true,
    ),
  );
}

/**
 * Visits every pair of an output position and a weight position that meet inside the input, with the offset
 * of the first channel at each of the three.
 */
export function forEachMeeting(
  w: Windows,
  multiplier: number,
  visit: (input: number, output: number, weight: number) => void,
): void {
  const outChannels = w.inChannels * multiplier;
  for (let row = 0; row < w.batch * w.outHeight; row++) {
    const image = Math.floor(row / w.outHeight);
    for (let kh = 0; kh < w.height; kh++) {
      const ih = (row % w.outHeight) * w.strideHeight - w.top + kh * w.dilationHeight;
      if (ih < 0 || ih >= w.inHeight) continue;
      for (let kw = 0; kw < w.width; kw++) {
        const weight = (kh * w.width + kw) * outChannels;
        const shift = kw * w.dilationWidth - w.left;
        for (let ow = 0; ow < w.outWidth; ow++) {
          const iw = ow * w.strideWidth + shift;
          if (iw < 0 || iw >= w.inWidth) continue;
          const input = ((image * w.inHeight + ih) * w.inWidth + iw) * w.inChannels;
          visit(input, (row * w.outWidth + ow) * outChannels, weight);
        }
      }
    }
  }
}
