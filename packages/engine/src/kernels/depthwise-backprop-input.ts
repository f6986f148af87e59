import * as tf from '@tensorflow/tfjs-core';
import { depthwiseWindows, forEachMeeting } from './depthwise-backprop.ts';
import { floats, runKernel, type WasmKernel, wasmKernel } from './kernel.ts';
import type { Windows } from './window.ts';

/** Missing from the wasm backend: without it nothing below a depthwise convolution can be trained. */
export const depthwiseBackpropInput: WasmKernel = wasmKernel<
  'dy' | 'filter',
  tf.DepthwiseConv2dNativeBackpropInputAttrs
>(tf.DepthwiseConv2dNativeBackpropInput, ({ inputs: { dy, filter }, attrs, backend }) => {
  const w = depthwiseWindows(attrs.inputShape, filter.shape, attrs);
  const multiplier = filter.shape[3]!;
  const padding = turnedPadding(w);
  if (multiplier === 1 && padding) {
    const turned = backend.makeOutput(filter.shape, 'float32');
    turn(floats(backend, filter), floats(backend, turned), w);
    const { strides, dilations } = attrs;
    const dx = runKernel(
      tf.DepthwiseConv2dNative,
      backend,
      { x: dy, filter: turned },
      { strides, dilations, pad: padding },
    );
    backend.disposeData(turned.dataId);
    return dx;
  }
  const out = backend.makeOutput(attrs.inputShape, 'float32');
  const [dx, errors, weights] = [floats(backend, out), floats(backend, dy), floats(backend, filter)];
  dx.fill(0);
  forEachMeeting(w, multiplier, (input, output, weight) => {
    for (let c = 0; c < w.inChannels; c++) {
      for (let m = 0; m < multiplier; m++) {
        dx[input + c]! += errors[output + c * multiplier + m]! * weights[weight + c * multiplier + m]!;
      }
    }
  });
  return out;
});

/**
 * With stride 1 the gradient is itself a depthwise convolution, over dy with the filter turned by 180 degrees:
 * 20 times faster than the loop. Returns the padding that it needs, or undefined where there is none.
 */
function turnedPadding(w: Windows): number[][] | undefined {
  if (w.strideHeight !== 1 || w.strideWidth !== 1) return undefined;
  const [high, wide] = [(w.height - 1) * w.dilationHeight, (w.width - 1) * w.dilationWidth];
  const [top, left] = [high - w.top, wide - w.left];
  const [bottom, right] = [w.inHeight - w.outHeight + high - top, w.inWidth - w.outWidth + wide - left];
  return Math.min(top, bottom, left, right) < 0
    ? undefined
    : [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ];
}

function turn(filter: Float32Array, turned: Float32Array, w: Windows): void {
  const channels = w.inChannels;
  const last = w.height * w.width - 1;
  for (let i = 0; i <= last; i++) {
    turned.set(filter.subarray(i * channels, (i + 1) * channels), (last - i) * channels);
  }
}
