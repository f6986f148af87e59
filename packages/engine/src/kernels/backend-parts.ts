import { BackendWasm, version_wasm } from '@tensorflow/tfjs-backend-wasm';

/** The kernels and loops were written against these versions: what they call is no part of a documented interface. */
const KNOWN_MAJOR = '4';

/** What they call on the backend. */
const needed = ['makeOutput', 'typedArrayFromHeap', 'disposeData', 'incRef', 'refCount'] as const;

/**
 * Why the backend must stay as it is shipped, if it must: a version that nobody tried, or one without the parts that
 * kernels and optimizers call.
 */
export function whyUnknown(version: string = version_wasm): string | undefined {
  if (version.split('.')[0] !== KNOWN_MAJOR) return `is not a version ${KNOWN_MAJOR}`;
  const missing = needed.filter((name) => !Object.hasOwn(BackendWasm.prototype, name));
  return missing.length > 0 ? `has no ${missing.join(', ')}` : undefined;
}
