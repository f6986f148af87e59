import * as tf from '@tensorflow/tfjs-core';
import { floats, type WasmKernel, wasmKernel } from './kernel.ts';
import { windowsOf } from './window.ts';

/**
 * Shipped wrong: it looks for a maximum above the smallest positive number, so windows without a positive
 * value lose their gradient. Here the first of the largest values gets it, as on the cpu backend.
 */
export const maxPoolGrad: WasmKernel = wasmKernel<'dy' | 'input', tf.MaxPoolGradAttrs>(
  tf.MaxPoolGrad,
  ({ inputs: { dy, input }, attrs: { filterSize, strides, pad, dimRoundingMode }, backend }) => {
    const shape = input.shape as [number, number, number, number];
    const w = windowsOf(
      tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode),
    );
    const out = backend.makeOutput(input.shape, 'float32');
    const [dx, x, errors] = [floats(backend, out), floats(backend, input), floats(backend, dy)];
    dx.fill(0);
    const channels = w.inChannels;
    const line = w.inWidth * channels;
    for (let row = 0, at = 0; row < w.batch * w.outHeight; row++) {
      const image = Math.floor(row / w.outHeight) * w.inHeight * line;
      const top = (row % w.outHeight) * w.strideHeight - w.top;
      const first = image + Math.max(0, top) * line;
      const last = image + Math.min(w.inHeight, top + w.height) * line;
      for (let ow = 0; ow < w.outWidth; ow++) {
        const left = ow * w.strideWidth - w.left;
        const begin = Math.max(0, left) * channels;
        const end = Math.min(w.inWidth, left + w.width) * channels;
        for (let c = 0; c < channels; c++, at++) {
          let best = first + begin + c;
          let most = x[best]!;
          for (let base = first; base < last; base += line) {
            for (let i = base + begin + c; i < base + end; i += channels) {
              if (x[i]! > most) {
                most = x[i]!;
                best = i;
              }
            }
          }
          dx[best]! += errors[at]!;
        }
      }
    }
    return out;
  },
);
