import * as tf from '@tensorflow/tfjs-core';
import { convolve } from '../loops/convolution.ts';
import { loopsOf } from '../loops/loops.ts';
import { activated } from './activated.ts';
import { type Call, type WasmKernel, wasmKernel } from './kernel.ts';
import { recordAsVector } from './packed.ts';
import { withSafePadding } from './same-padding.ts';
import { type Windows, windowsOf } from './window.ts';

/** Shipped wrong for 'same' padding with a stride beyond the window, and half as fast as the loops. */
export const conv2D: WasmKernel = wasmKernel<'x' | 'filter', tf.Conv2DAttrs>(
  tf.Conv2D,
  (call) => inLoops(call) ?? withSafePadding(call, false),
);

/** The convolution in our loops, where there are any; they know no dilation. */
function inLoops({
  inputs,
  attrs,
  backend,
}: Call<'x' | 'filter', tf.Conv2DAttrs> & { inputs: { bias?: tf.TensorInfo } }): tf.TensorInfo | undefined {
  const loops = loopsOf(backend);
  if (!loops || attrs.dataFormat === 'NCHW') return undefined;
  const w = windowsOfConv(inputs, attrs);
  if (w.dilationHeight > 1 || w.dilationWidth > 1) return undefined;
  return convolve(backend, loops, w, inputs);
}

function windowsOfConv(
  { x, filter }: Record<'x' | 'filter', tf.TensorInfo>,
  { strides, pad, dilations, dimRoundingMode }: tf.Conv2DAttrs,
): Windows {
  const [image, window] = [x.shape, filter.shape] as [number, number, number, number][];
  return windowsOf(
    tf.backend_util.computeConv2DInfo(image!, window!, strides, dilations, pad, dimRoundingMode),
  );
}

type FusedInputs = 'x' | 'filter' | 'bias' | 'preluActivationWeights';

/** Shipped with the fault of Conv2D, and refusing a gathered or reshaped bias by the rank that its data once had. */
export const fusedConv2D: WasmKernel = wasmKernel<FusedInputs, tf.FusedConv2DAttrs>(
  tf.FusedConv2D,
  (call) => {
    const { filter, bias, preluActivationWeights: alpha } = call.inputs;
    const { activation, leakyreluAlpha } = call.attrs;
    const out = inLoops(call);
    if (out) return activated(call.backend, out, activation, alpha, leakyreluAlpha);
    recordAsVector(call.backend, bias, filter.shape[3]!);
    return withSafePadding(call, false);
  },
);

/** Shipped with the fault of Conv2D. */
export const depthwiseConv2D: WasmKernel = wasmKernel<'x' | 'filter', tf.DepthwiseConv2dNativeAttrs>(
  tf.DepthwiseConv2dNative,
  (call) => withSafePadding(call, true),
);

/** Shipped with the faults of FusedConv2D. */
export const fusedDepthwiseConv2D: WasmKernel = wasmKernel<
  'x' | 'filter' | 'bias',
  tf.FusedDepthwiseConv2DAttrs
>(tf.FusedDepthwiseConv2D, (call) => {
  const { filter, bias } = call.inputs;
  recordAsVector(call.backend, bias, filter.shape[2]! * filter.shape[3]!);
  return withSafePadding(call, true);
});
