import * as tf from '@tensorflow/tfjs-core';
import { inputGradient } from '../loops/convolution.ts';
import { loopsOf } from '../loops/loops.ts';
import { addColumns, inBlocks } from './columns.ts';
import { isPointwise } from './conv2d-backprop-filter.ts';
import { floats, reshaped, runKernel, type WasmKernel, wasmKernel, withShape } from './kernel.ts';
import { windowsOf } from './window.ts';

/** Shipped as a scalar loop: dy times the transposed filter, added back window by window, is much faster. */
export const conv2DBackpropInput: WasmKernel = wasmKernel<'dy' | 'filter', tf.Conv2DBackpropInputAttrs>(
  tf.Conv2DBackpropInput,
  ({ inputs: { dy, filter }, attrs, backend, shipped }) => {
    const { inputShape, strides, pad, dimRoundingMode, dataFormat } = attrs;
    if (dataFormat === 'NCHW') return shipped();
    const filterShape = filter.shape as [number, number, number, number];
    const w = windowsOf(
      tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode),
    );
    const loops = loopsOf(backend);
    if (loops) return inputGradient(backend, loops, w, { dy, filter });
    const [lines, outChannels] = [w.height * w.width * w.inChannels, filterShape[3]];
    const weights = reshaped(filter, [lines, outChannels]);
    const turned = runKernel(tf.Transpose, backend, { x: weights }, { perm: [1, 0] });
    const b = reshaped(turned, [1, outChannels, lines]);
    let dx: tf.TensorInfo;
    if (isPointwise(w)) {
      const a = reshaped(dy, [1, w.batch * w.outHeight * w.outWidth, outChannels]);
      dx = withShape(backend, runKernel(tf.BatchMatMul, backend, { a, b }), inputShape);
    } else {
      const out = backend.makeOutput(inputShape, 'float32');
      dx = out;
      floats(backend, out).fill(0);
      inBlocks(w, (first, rows) => {
        const length = rows * w.outWidth;
        const a = backend.makeOutput([1, length, outChannels], 'float32');
        const from = first * w.outWidth * outChannels;
        floats(backend, a).set(floats(backend, dy).subarray(from, from + length * outChannels));
        const columns = runKernel(tf.BatchMatMul, backend, { a, b });
        addColumns(floats(backend, columns), floats(backend, out), w, first, rows);
        for (const { dataId } of [a, columns]) backend.disposeData(dataId);
      });
    }
    backend.disposeData(turned.dataId);
    return dx;
  },
);
