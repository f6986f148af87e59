import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

/** What kernels and optimizers call on the backend: no part of its documented interface. */
const needed = ['makeOutput', 'typedArrayFromHeap', 'disposeData', 'incRef', 'refCount'] as const;

/** Those parts of the backend that this version of it lacks; where there are any, leave it as it is. */
export function missingParts(): readonly string[] {
  return needed.filter((name) => !Object.hasOwn(BackendWasm.prototype, name));
}
