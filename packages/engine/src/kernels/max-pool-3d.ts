import * as tf from '@tensorflow/tfjs-core';
import { floats, type WasmKernel, wasmKernel } from './kernel.ts';
import { forEachBox, forEachInput, poolVolumes } from './volume.ts';

/** Shipped wrong: it looks for a maximum above the smallest positive number, so it never answers below that. */
export const maxPool3D: WasmKernel = wasmKernel<'x', tf.MaxPool3DAttrs>(
  tf.MaxPool3D,
  ({ inputs: { x }, attrs, backend }) => {
    const v = poolVolumes(x.shape, attrs);
    const shape = [v.batch, v.outDepth, v.outHeight, v.outWidth, v.inChannels];
    const out = backend.makeOutput(shape, 'float32');
    const [most, values] = [floats(backend, out), floats(backend, x)];
    most.fill(Number.NEGATIVE_INFINITY);
    forEachBox(v, (output, image, box) => {
      forEachInput(v, image, box, (input) => {
        for (let c = 0; c < v.inChannels; c++) {
          const value = values[input + c]!;
          // The other way round, so that a NaN wins as it does in two dimensions.
          if (!(value <= most[output + c]!)) most[output + c] = value;
        }
      });
    });
    return out;
  },
);
