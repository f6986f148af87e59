import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { floats } from './kernel.ts';

/**
 * XNNPACK packs the right side of a multiplication once per data id, whatever its shape: the same data under
 * a second shape would give wrong numbers or a crash. So it is only ever multiplied under the width with which
 * its data was recorded: this returns `b`, or a copy when `b` has another; the caller disposes what isn't `b`.
 */
export function safeRight(backend: BackendWasm, b: TensorInfo): TensorInfo {
  const recorded = backend.dataIdMap.get(b.dataId).shape;
  if (recorded[recorded.length - 1] === b.shape[b.shape.length - 1]) return b;
  const copy = backend.makeOutput(b.shape, b.dtype);
  floats(backend, copy).set(floats(backend, b));
  return copy;
}

/**
 * Fused kernels check a bias by the rank under which its data was first recorded, which a reshape doesn't
 * change. A bias with one number per output is recorded as a vector here.
 */
export function recordAsVector(backend: BackendWasm, bias: TensorInfo | undefined, outputs: number): void {
  if (!bias) return;
  const record = backend.dataIdMap.get(bias.dataId);
  if (bias.shape[bias.shape.length - 1] === outputs && floats(backend, bias).length === outputs) {
    record.shape = [outputs];
  }
}
