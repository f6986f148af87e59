import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { installKernel, wasmKernel } from '../kernels/kernel.ts';
import { type Loops, loopsOf } from '../loops/loops.ts';

/** What a fusion's kernel is called with: float32 tensors, all of them. */
export interface FusedCall {
  readonly inputs: readonly tf.TensorInfo[];
  readonly attrs: tf.NamedAttrMap;
  readonly backend: BackendWasm;
  readonly loops: Loops;
}

/** A gradient in one kernel, in the place of the several that tfjs-core composes it of. */
export interface Fusion {
  /** The kernel whose gradient it is. */
  readonly of: string;
  /** Of those inputs that it is about: `run` runs the fusion's kernel. Nothing where it is not for these. */
  gradient(call: GradientCall): Record<string, () => tf.Tensor> | undefined;
  readonly kernel: (call: FusedCall) => tf.TensorInfo;
}

export interface GradientCall {
  readonly dy: tf.Tensor;
  readonly saved: readonly tf.Tensor[];
  readonly attrs: tf.NamedAttrMap;
  readonly run: (inputs: readonly tf.Tensor[], attrs?: tf.NamedAttrMap) => tf.Tensor;
}

const installed = new WeakSet<tf.GradConfig['gradFunc']>();

/**
 * Puts a fusion in the place of the gradient that there is; on other engines that one still runs. To load tfjs-node
 * registers tfjs-core's own once more: call it again after that.
 */
export function installFusion({ of, gradient, kernel }: Fusion): void {
  const shipped = tf.getGradient(of);
  if (installed.has(shipped.gradFunc)) return;
  const name = `Espalier${of}Gradient`;
  installKernel(
    wasmKernel<string, tf.NamedAttrMap>(name, ({ inputs, attrs, backend }) =>
      kernel({ inputs: Object.values(inputs), attrs, backend, loops: loopsOf(backend)! }),
    ),
  );
  const run: GradientCall['run'] = (inputs, attrs = {}) =>
    tf.engine().runKernel(name, Object.fromEntries(inputs.map((x, i) => [`in${i}`, x])), attrs) as tf.Tensor;
  const gradFunc: tf.GradConfig['gradFunc'] = (dy, saved, attrs) => {
    const usable = dy instanceof tf.Tensor && canFuse([dy, ...saved]);
    const own = usable ? gradient({ dy, saved, attrs, run }) : undefined;
    return own ?? shipped.gradFunc(dy, saved, attrs);
  };
  installed.add(gradFunc);
  tf.unregisterGradient(of);
  tf.registerGradient({ ...shipped, gradFunc });
}

/** On wasm with loops, for floats; and not while a gradient of this gradient is being recorded, which has none. */
function canFuse(tensors: readonly tf.Tensor[]): boolean {
  const engine = tf.engine();
  if (engine.backendName !== 'wasm' || engine.state.gradientDepth > 0) return false;
  return (
    tensors.every(({ dtype }) => dtype === 'float32') &&
    loopsOf(engine.backend as unknown as BackendWasm) !== undefined
  );
}
