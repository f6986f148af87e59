import * as tf from '@tensorflow/tfjs-core';
import { addressOf, loopsOf } from '../loops/loops.ts';
import { floats, type WasmKernel, wasmKernel } from './kernel.ts';
import { type Windows, windowsOf } from './window.ts';

/**
 * Shipped wrong: it looks for a maximum above the smallest positive number, so windows without a positive
 * value lose their gradient. Here the first of the largest values gets it, as on the cpu backend.
 */
export const maxPoolGrad: WasmKernel = wasmKernel<'dy' | 'input' | 'output', tf.MaxPoolGradAttrs>(
  tf.MaxPoolGrad,
  ({ inputs: { dy, input, output }, attrs: { filterSize, strides, pad, dimRoundingMode }, backend }) => {
    const shape = input.shape as [number, number, number, number];
    const w = windowsOf(
      tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode),
    );
    const out = backend.makeOutput(input.shape, 'float32');
    const loops = loopsOf(backend);
    if (loops) {
      const [at, from, most, errors] = [out, input, output, dy].map((info) => addressOf(backend, info));
      loops.clear(at!, tf.util.sizeFromShape(input.shape) * 4);
      // biome-ignore format: as it is taken
      loops.maxPoolGradient(
        from!, most!, errors!, at!,
        w.batch, w.inHeight, w.inWidth, w.inChannels, w.outHeight, w.outWidth,
        w.height, w.width, w.strideHeight, w.strideWidth, w.top, w.left,
      );
      return out;
    }
    const dx = floats(backend, out);
    dx.fill(0);
    addToLargest(dx, floats(backend, input), floats(backend, output), floats(backend, dy), w);
    return out;
  },
);

/** Adds each window's error to the first value that equals the window's maximum. */
function addToLargest(
  dx: Float32Array,
  x: Float32Array,
  most: Float32Array,
  errors: Float32Array,
  w: Windows,
): void {
  const { inChannels: channels, inHeight, inWidth, outHeight, outWidth } = w;
  const line = inWidth * channels;
  let at = 0;
  for (let row = 0; row < w.batch * outHeight; row++) {
    const image = Math.floor(row / outHeight) * inHeight * line;
    const top = (row % outHeight) * w.strideHeight - w.top;
    const first = image + Math.max(0, top) * line;
    const last = image + (Math.min(inHeight, top + w.height) - 1) * line;
    for (let ow = 0; ow < outWidth; ow++) {
      const left = ow * w.strideWidth - w.left;
      const begin = Math.max(0, left) * channels;
      const end = (Math.min(inWidth, left + w.width) - 1) * channels;
      for (let c = 0; c < channels; c++, at++) {
        const target = most[at]!;
        // From the last to the first, and by arithmetic: which one it is can't be predicted by a branch.
        let best = first + begin + c;
        for (let base = last + c; base >= first; base -= line) {
          for (let i = base + end; i >= base + begin; i -= channels) {
            best += (i - best) * Number(x[i] === target);
          }
        }
        dx[best]! += errors[at]!;
      }
    }
  }
}
