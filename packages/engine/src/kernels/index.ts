import { version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { registerChainedOps } from '../chained-ops.ts';
import { installFusions } from '../fusions/index.ts';
import { registerGradients } from '../gradients/index.ts';
import { add } from './add.ts';
import { avgPool3DGrad } from './avg-pool-3d-grad.ts';
import { avgPoolGrad } from './avg-pool-grad.ts';
import { whyUnknown } from './backend-parts.ts';
import { batchMatMul } from './batch-mat-mul.ts';
import { cast } from './cast.ts';
import { concat } from './concat.ts';
import { conv2D, depthwiseConv2D, fusedConv2D, fusedDepthwiseConv2D } from './conv2d.ts';
import { conv2DBackpropFilter } from './conv2d-backprop-filter.ts';
import { conv2DBackpropInput } from './conv2d-backprop-input.ts';
import { conv3D } from './conv3d.ts';
import { conv3DBackpropFilter } from './conv3d-backprop-filter.ts';
import { conv3DBackpropInput } from './conv3d-backprop-input.ts';
import { depthwiseBackpropFilter } from './depthwise-backprop-filter.ts';
import { depthwiseBackpropInput } from './depthwise-backprop-input.ts';
import { fusedMatMul } from './fused-mat-mul.ts';
import { gather } from './gather.ts';
import { identity } from './identity.ts';
import { installKernel, type WasmKernel } from './kernel.ts';
import { maxPool3D } from './max-pool-3d.ts';
import { maxPool3DGrad } from './max-pool-3d-grad.ts';
import { maxPoolGrad } from './max-pool-grad.ts';
import { slice } from './slice.ts';
import { sum } from './sum.ts';
import { unsortedSegmentSum } from './unsorted-segment-sum.ts';

const kernels: readonly WasmKernel[] = [
  conv2DBackpropFilter,
  depthwiseBackpropInput,
  depthwiseBackpropFilter,
  unsortedSegmentSum,
  maxPoolGrad,
  avgPoolGrad,
  maxPool3D,
  maxPool3DGrad,
  avgPool3DGrad,
  conv3D,
  conv3DBackpropInput,
  conv3DBackpropFilter,
  conv2DBackpropInput,
  batchMatMul,
  fusedMatMul,
  conv2D,
  fusedConv2D,
  depthwiseConv2D,
  fusedDepthwiseConv2D,
  identity,
  cast,
  concat,
  slice,
  gather,
  add,
  sum,
];

/**
 * Makes the wasm backend able to train: registers the kernels that it lacks, and better ones in the place of
 * those that it ships wrong or slow. Also registers the gradients and the chained operations (`x.square()`)
 * that tfjs-layers' recurrent layers use. Runs in Node and in the browser, before or after
 * `tf.setBackend('wasm')`; calling it again changes nothing.
 */
export function registerTrainingKernels(): void {
  registerChainedOps();
  registerGradients();
  const unknown = whyUnknown();
  if (unknown) {
    console.warn(
      `[engine] tfjs-backend-wasm ${version_wasm} ${unknown}; it stays as it is, and can't train ` +
        'convolutions. The training kernels know 4.22: npm install @tensorflow/tfjs-backend-wasm@4.22',
    );
    return;
  }
  for (const kernel of kernels) installKernel(kernel);
  installFusions();
}
