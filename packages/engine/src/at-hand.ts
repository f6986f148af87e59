import * as tf from '@tensorflow/tfjs-core';
import { whyUnknown } from './kernels/backend-parts.ts';

type Keyed = Record<symbol, unknown>;

/** The part of a WeakMap that TensorFlow.js uses. */
interface Store {
  get(key: Keyed): unknown;
  has(key: Keyed): boolean;
  set(key: Keyed, value: unknown): void;
  delete(key: Keyed): boolean;
}

/**
 * Keeps values on the keys themselves. A WeakMap whose entries come and go by the hundred in every training step is rehashed all
 * the time, and costs the garbage collector more the longer they stay.
 */
class OnKeys implements Store {
  readonly #slot = Symbol('value');
  /** What is there of keys from before. */
  readonly #earlier: Store;

  constructor(earlier: Store) {
    this.#earlier = earlier;
  }

  get(key: Keyed): unknown {
    const value = key[this.#slot];
    return value === undefined ? this.#earlier.get(key) : value;
  }

  has(key: Keyed): boolean {
    return key[this.#slot] !== undefined || this.#earlier.has(key);
  }

  set(key: Keyed, value: unknown): void {
    key[this.#slot] = value;
  }

  delete(key: Keyed): boolean {
    if (key[this.#slot] === undefined) return this.#earlier.delete(key);
    // set, not deleted: objects that lose a property get slow
    key[this.#slot] = undefined;
    return true;
  }
}

/**
 * Keeps at hand what the present wasm backend, and the engine above it, know of each tensor's data: on small networks those
 * tables take a tenth of the time. Where TensorFlow.js keeps it otherwise than is known, and when called again, nothing changes.
 */
export function keepDataAtHand(): void {
  if (whyUnknown()) return;
  const { dataIdMap } = tf.backend() as unknown as { readonly dataIdMap?: Record<'data', unknown> };
  keepOnKeys(dataIdMap, 'data');
  keepOnKeys(tf.engine().state, 'tensorInfo');
}

function keepOnKeys<Field extends string>(owner: Record<Field, unknown> | undefined, field: Field): void {
  const store = owner?.[field];
  if (store instanceof WeakMap) owner![field] = new OnKeys(store as unknown as Store);
}
