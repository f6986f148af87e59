import * as tf from '@tensorflow/tfjs-core';
import { depthwiseWindows, forEachMeeting } from './depthwise-backprop.ts';
import { floats, type WasmKernel, wasmKernel } from './kernel.ts';

/** Missing from the wasm backend: without it no depthwise convolution can be trained. */
export const depthwiseBackpropFilter: WasmKernel = wasmKernel<
  'x' | 'dy',
  tf.DepthwiseConv2dNativeBackpropFilterAttrs
>(tf.DepthwiseConv2dNativeBackpropFilter, ({ inputs: { x, dy }, attrs, backend }) => {
  const w = depthwiseWindows(x.shape, attrs.filterShape, attrs);
  const multiplier = attrs.filterShape[3];
  const out = backend.makeOutput(attrs.filterShape, 'float32');
  const [dw, values, errors] = [floats(backend, out), floats(backend, x), floats(backend, dy)];
  dw.fill(0);
  if (multiplier === 1) {
    // The usual case, and one loop less.
    forEachMeeting(w, 1, (input, output, weight) => {
      for (let c = 0; c < w.inChannels; c++) dw[weight + c]! += values[input + c]! * errors[output + c]!;
    });
    return out;
  }
  forEachMeeting(w, multiplier, (input, output, weight) => {
    for (let c = 0; c < w.inChannels; c++) {
      for (let m = 0; m < multiplier; m++) {
        dw[weight + c * multiplier + m]! += values[input + c]! * errors[output + c * multiplier + m]!;
      }
    }
  });
  return out;
});
