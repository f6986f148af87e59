import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The first patch that one thinks of, to compare with: the kernel that wasm lacks for training convolutions,
 * composed of a convolution and transposes. Without padding, which LeNet has none of.
 */
export function registerNaiveKernels(): void {
  tf.registerKernel({
    kernelName: tf.Conv2DBackpropFilter,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const wasm = backend as BackendWasm;
      const { strides, pad } = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
      if (pad !== 'valid' && pad !== 0) throw new Error('the naive kernel knows no padding');
      const run = (name: string, ins: tf.NamedTensorInfoMap, settings: object): tf.TensorInfo =>
        tf.getKernel(name, 'wasm').kernelFunc({
          inputs: ins,
          attrs: settings as tf.NamedAttrMap,
          backend: wasm,
        }) as tf.TensorInfo;
      const transpose = (x: tf.TensorInfo, perm: number[]): tf.TensorInfo =>
        run(tf.Transpose, { x }, { perm });
      const x = transpose(inputs.x!, [3, 1, 2, 0]);
      const filter = transpose(inputs.dy!, [1, 2, 0, 3]);
      const settings = { strides: 1, pad: 'valid', dataFormat: 'NHWC', dilations: strides };
      const out = run(tf.Conv2D, { x, filter }, settings);
      const turned = transpose(out, [1, 2, 0, 3]);
      for (const { dataId } of [x, filter, out]) wasm.disposeData(dataId);
      return turned;
    },
  });
}
