import * as tf from '@tensorflow/tfjs-core';
import { depthwiseWindows, forEachMeeting } from './depthwise-backprop.ts';
import { floats, type WasmKernel, wasmKernel } from './kernel.ts';

/** Missing from the wasm backend: without it nothing below a depthwise convolution can be trained. */
export const depthwiseBackpropInput: WasmKernel = wasmKernel<
  'dy' | 'filter',
  tf.DepthwiseConv2dNativeBackpropInputAttrs
>(tf.DepthwiseConv2dNativeBackpropInput, ({ inputs: { dy, filter }, attrs, backend }) => {
  const w = depthwiseWindows(attrs.inputShape, filter.shape, attrs);
  const multiplier = filter.shape[3]!;
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
