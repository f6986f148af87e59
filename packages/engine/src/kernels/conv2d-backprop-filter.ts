import * as tf from '@tensorflow/tfjs-core';
import { filterGradient } from '../loops/convolution.ts';
import { loopsOf } from '../loops/loops.ts';
import { columnsSize, fillColumns, inBlocks } from './columns.ts';
import { floats, reshaped, runKernel, type WasmKernel, wasmKernel, withShape } from './kernel.ts';
import { type Windows, windowsOf } from './window.ts';

/** Missing from the wasm backend: without it no convolution can be trained. Columns of windows times dy. */
export const conv2DBackpropFilter: WasmKernel = wasmKernel<'x' | 'dy', tf.Conv2DBackpropFilterAttrs>(
  tf.Conv2DBackpropFilter,
  ({ inputs: { x, dy }, attrs, backend }) => {
    const { filterShape, strides, pad, dimRoundingMode, dataFormat } = attrs;
    if (dataFormat === 'NCHW') {
      throw new Error('[engine] the wasm backend convolves NHWC data only; transpose the NCHW input first');
    }
    const shape = x.shape as [number, number, number, number];
    const w = windowsOf(
      tf.backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, dimRoundingMode),
    );
    const loops = loopsOf(backend);
    if (loops) return filterGradient(backend, loops, w, { x, dy });
    const [lines, outChannels] = [w.height * w.width * w.inChannels, filterShape[3]];
    if (isPointwise(w)) {
      const a = reshaped(x, [1, w.batch * w.inHeight * w.inWidth, w.inChannels]);
      const b = reshaped(dy, [1, a.shape[1]!, outChannels]);
      const out = runKernel(tf.BatchMatMul, backend, { a, b }, { transposeA: true, transposeB: false });
      return withShape(backend, out, filterShape);
    }
    const out = backend.makeOutput(filterShape, 'float32');
    floats(backend, out).fill(0);
    inBlocks(w, (first, rows) => {
      const length = rows * w.outWidth;
      const columns = backend.makeOutput([columnsSize(w, rows)], 'float32');
      const errors = backend.makeOutput([1, length, outChannels], 'float32');
      fillColumns(floats(backend, x), floats(backend, columns), w, first, rows);
      const from = first * w.outWidth * outChannels;
      floats(backend, errors).set(floats(backend, dy).subarray(from, from + length * outChannels));
      const part = runKernel(tf.BatchMatMul, backend, {
        a: reshaped(columns, [1, lines, length]),
        b: errors,
      });
      const [sum, addend] = [floats(backend, out), floats(backend, part)];
      for (let i = 0; i < sum.length; i++) sum[i]! += addend[i]!;
      for (const { dataId } of [columns, errors, part]) backend.disposeData(dataId);
    });
    return out;
  },
);

/** Whether the columns would be the input itself: a 1 x 1 convolution with stride 1 is one matmul. */
export function isPointwise(w: Windows): boolean {
  const { height, width, strideHeight, strideWidth, top, left } = w;
  return height === 1 && width === 1 && strideHeight === 1 && strideWidth === 1 && top === 0 && left === 0;
}
