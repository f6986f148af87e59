import * as tf from '@tensorflow/tfjs-core';

/** A pruner's state as JSON: its nest with each tensor by its number, and all their values in base64. */
export interface SavedState {
  readonly nest: SavedNest;
  readonly specs: readonly tf.io.WeightsManifestEntry[];
  readonly values: string;
}

/** JSON, in which `{ $tensor: i }` stands for a tensor and `{ $number: 'NaN' }` for what JSON has no number for. */
export type SavedNest =
  | string
  | number
  | boolean
  | null
  | readonly SavedNest[]
  | { readonly [key: string]: SavedNest };

/** @throws if the state holds a typed array: tensors and numbers can be saved. */
export async function saveState(state: tf.TensorContainer): Promise<SavedState> {
  const tensors: tf.Tensor[] = [];
  const nestOf = (item: tf.TensorContainer): SavedNest => {
    if (item instanceof tf.Tensor) return { $tensor: tensors.push(item) - 1 };
    if (typeof item === 'number' && !Number.isFinite(item)) return { $number: String(item) };
    if (item === undefined || item === null || typeof item !== 'object') return (item as SavedNest) ?? null;
    if (Array.isArray(item)) return item.map(nestOf);
    if (ArrayBuffer.isView(item)) {
      throw new Error('[core] a typed array in the state of a pruner can not be saved: use a tensor');
    }
    return Object.fromEntries(
      Object.entries(item as Record<string, tf.TensorContainer>).map(([key, value]) => [key, nestOf(value)]),
    );
  };
  const nest = nestOf(state);
  const named = tensors.map((tensor, i) => ({ name: String(i), tensor }));
  const { data, specs } = await tf.io.encodeWeights(named);
  return { nest, specs, values: toBase64(new Uint8Array(data)) };
}

/** The state anew; the caller owns its tensors. */
export function restoreState({ nest, specs, values }: SavedState): tf.TensorContainer {
  const tensors = tf.io.decodeWeights(fromBase64(values), [...specs]);
  const stateOf = (item: SavedNest): tf.TensorContainer => {
    // what a hook may have left out is undefined to it, not null
    if (item === null) return undefined;
    if (typeof item !== 'object') return item;
    if (Array.isArray(item)) return item.map(stateOf);
    const { $tensor, $number, ...fields } = item as { readonly [key: string]: SavedNest };
    if ($tensor !== undefined) return tensors[String($tensor)]!;
    if ($number !== undefined) return Number($number);
    return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, stateOf(value)]));
  };
  return stateOf(nest);
}

// browsers and Node have them; without types of either, TypeScript doesn't know
declare function btoa(binary: string): string;
declare function atob(text: string): string;

function toBase64(bytes: Uint8Array): string {
  let text = '';
  // a call takes only so many arguments
  for (let i = 0; i < bytes.length; i += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(text);
}

const fromBase64 = (text: string): ArrayBuffer =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
