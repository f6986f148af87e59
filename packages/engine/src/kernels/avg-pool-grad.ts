import * as tf from '@tensorflow/tfjs-core';
import { floats, type WasmKernel, wasmKernel } from './kernel.ts';
import { windowsOf } from './window.ts';

/** Shipped wrong at a padded border: the forward pass divides by the values in the window, the gradient didn't. */
export const avgPoolGrad: WasmKernel = wasmKernel<'dy' | 'input', tf.AvgPoolGradAttrs>(
  tf.AvgPoolGrad,
  ({ inputs: { dy, input }, attrs: { filterSize, strides, pad }, backend }) => {
    const shape = input.shape as [number, number, number, number];
    const w = windowsOf(tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad));
    const out = backend.makeOutput(input.shape, 'float32');
    const [dx, errors] = [floats(backend, out), floats(backend, dy)];
    dx.fill(0);
    const channels = w.inChannels;
    for (let row = 0, at = 0; row < w.batch * w.outHeight; row++) {
      const image = Math.floor(row / w.outHeight) * w.inHeight;
      const top = (row % w.outHeight) * w.strideHeight - w.top;
      const [first, last] = [Math.max(0, top), Math.min(w.inHeight, top + w.height)];
      for (let ow = 0; ow < w.outWidth; ow++, at += channels) {
        const left = ow * w.strideWidth - w.left;
        const [begin, end] = [Math.max(0, left), Math.min(w.inWidth, left + w.width)];
        const share = 1 / ((last - first) * (end - begin));
        for (let ih = first; ih < last; ih++) {
          for (let iw = begin; iw < end; iw++) {
            const to = ((image + ih) * w.inWidth + iw) * channels;
            for (let c = 0; c < channels; c++) dx[to + c]! += errors[at + c]! * share;
          }
        }
      }
    }
    return out;
  },
);
