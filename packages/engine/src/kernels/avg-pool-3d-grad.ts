import * as tf from '@tensorflow/tfjs-core';
import { floats, type WasmKernel, wasmKernel } from './kernel.ts';
import { forEachBox, forEachInput, poolVolumes } from './volume.ts';

/** Shipped wrong at a padded border: the forward pass divides by the values in the window, the gradient didn't. */
export const avgPool3DGrad: WasmKernel = wasmKernel<'dy' | 'input', tf.AvgPool3DGradAttrs>(
  tf.AvgPool3DGrad,
  ({ inputs: { dy, input }, attrs, backend }) => {
    const v = poolVolumes(input.shape, attrs);
    const out = backend.makeOutput(input.shape, 'float32');
    const [dx, errors] = [floats(backend, out), floats(backend, dy)];
    dx.fill(0);
    forEachBox(v, (at, image, box) => {
      const { front, back, top, bottom, left, right } = box;
      const share = 1 / ((back - front) * (bottom - top) * (right - left));
      forEachInput(v, image, box, (to) => {
        for (let c = 0; c < v.inChannels; c++) dx[to + c]! += errors[at + c]! * share;
      });
    });
    return out;
  },
);
