import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

/** What a kernel of ours is called with. */
export interface Call<Name extends string, Attrs> {
  inputs: Record<Name, tf.TensorInfo>;
  attrs: Attrs;
  backend: BackendWasm;
  /** The kernel that TensorFlow.js ships under this name, with these inputs and attributes or changed ones. */
  shipped: (changed?: {
    inputs?: Partial<Record<Name, tf.TensorInfo>>;
    attrs?: Partial<Attrs>;
  }) => tf.TensorInfo;
}

/** One kernel for the wasm backend, ready for `installKernel`. */
export interface WasmKernel {
  readonly name: string;
  readonly run: (call: Call<string, tf.NamedAttrMap>) => tf.TensorInfo;
}

/** Names a kernel's inputs and attributes once, so that its body needs no casts. */
export const wasmKernel = <Name extends string, Attrs>(
  name: string,
  run: (call: Call<Name, Attrs>) => tf.TensorInfo,
): WasmKernel => ({ name, run: run as unknown as WasmKernel['run'] });

const installed = new WeakSet<tf.KernelFunc>();

/** Registers a kernel, or puts it in the place of the shipped one; a second call changes nothing. */
export function installKernel({ name, run }: WasmKernel): void {
  const shipped: tf.KernelConfig | undefined = tf.getKernel(name, 'wasm');
  if (shipped && installed.has(shipped.kernelFunc)) return;
  const kernelFunc: tf.KernelFunc = (params) => {
    const { inputs, attrs, backend } = params;
    return run({
      inputs: inputs as Record<string, tf.TensorInfo>,
      attrs: attrs ?? {},
      backend: backend as BackendWasm,
      shipped: (changed) => {
        if (!changed) return shipped!.kernelFunc(params) as tf.TensorInfo;
        const all = { ...inputs, ...changed.inputs };
        const set = { ...attrs, ...changed.attrs } as tf.NamedAttrMap;
        return shipped!.kernelFunc({ inputs: all, attrs: set, backend }) as tf.TensorInfo;
      },
    });
  };
  installed.add(kernelFunc);
  if (shipped) tf.unregisterKernel(name, 'wasm');
  // The shipped setupFunc is kept: it binds the compiled function that `shipped` calls.
  tf.registerKernel({ ...shipped, kernelName: name, backendName: 'wasm', kernelFunc });
}

/** Runs another wasm kernel from inside a kernel. The caller disposes the output's data. */
export function runKernel(
  name: string,
  backend: BackendWasm,
  inputs: tf.NamedTensorInfoMap,
  attrs: tf.NamedAttrMap = {},
): tf.TensorInfo {
  return tf.getKernel(name, 'wasm').kernelFunc({ inputs, attrs, backend }) as tf.TensorInfo;
}

/**
 * The numbers of a float tensor, in place on the heap. Take it after the last allocation: the heap may move
 * when it grows, and an older view is then empty.
 */
export function floats(backend: BackendWasm, info: tf.TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(info) as Float32Array;
}

/** The same data under another shape, without a reference of its own: never dispose it. */
export function reshaped({ dataId, dtype }: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  return { dataId, dtype, shape };
}

/** Sets the shape of a fresh output, in the backend's own record too, where fused kernels look for a bias. */
export function withShape(backend: BackendWasm, info: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  backend.dataIdMap.get(info.dataId).shape = shape;
  return { ...info, shape };
}
