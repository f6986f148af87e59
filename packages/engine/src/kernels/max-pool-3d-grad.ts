import * as tf from '@tensorflow/tfjs-core';
import { floats, type WasmKernel, wasmKernel } from './kernel.ts';
import { forEachBox, forEachInput, poolVolumes } from './volume.ts';

/** Shipped with the fault of MaxPool3D. Here the first of the largest values gets a window's error. */
export const maxPool3DGrad: WasmKernel = wasmKernel<'dy' | 'input' | 'output', tf.MaxPool3DGradAttrs>(
  tf.MaxPool3DGrad,
  ({ inputs: { dy, input, output }, attrs, backend }) => {
    const v = poolVolumes(input.shape, attrs);
    const out = backend.makeOutput(input.shape, 'float32');
    const [dx, errors] = [floats(backend, out), floats(backend, dy)];
    const [values, most] = [floats(backend, input), floats(backend, output)];
    const first = new Int32Array(v.inChannels);
    dx.fill(0);
    forEachBox(v, (at, image, box) => {
      first.fill(-1);
      forEachInput(v, image, box, (from) => {
        for (let c = 0; c < v.inChannels; c++) {
          if (first[c]! < 0 && values[from + c] === most[at + c]) first[c] = from + c;
        }
      });
      for (let c = 0; c < v.inChannels; c++) if (first[c]! >= 0) dx[first[c]!]! += errors[at + c]!;
    });
    return out;
  },
);
