import { Float16Array } from '@petamoriken/float16';
import { type io, util } from '@tensorflow/tfjs-core';

/** The narrow types that TensorFlow.js' own loader widens to float32 again. */
export type Quantization = 'float16' | 'uint8' | 'uint16';

/** All of them. */
export const quantizations: readonly Quantization[] = ['float16', 'uint8', 'uint16'];

/** Weights as they stand in a file. */
export interface StoredWeights {
  readonly specs: io.WeightsManifestEntry[];
  readonly data: Uint8Array;
}

/**
 * Weights in a narrow type, as tensorflowjs_converter writes them: float32 alone, other types stay.
 *
 * - `float16`: the nearest one, half the size.
 * - `uint8`, `uint16`: q = round((w - min) / scale) with scale = (max - min) / (2^bits - 1), each weight with a min and
 *   scale of its own; read as q scale + min. Where 0 lies between them, min is moved so that 0 stays 0. No value is off
 *   by more than scale / 2, and a weight of one value by nothing.
 *
 * @param data float32 and others, one weight after the other, as `model.save` gives them.
 * @throws if a weight holds what is not finite, or does not fit the type.
 */
export function quantize({ specs, data }: StoredWeights, type: Quantization): StoredWeights {
  const parts: Uint8Array[] = [];
  let offset = 0;
  const entries = specs.map((spec): io.WeightsManifestEntry => {
    const bytes = util.sizeFromShape(spec.shape) * util.bytesPerElement(spec.dtype as 'float32');
    const own = data.subarray(offset, offset + bytes);
    offset += bytes;
    if (spec.dtype !== 'float32') {
      parts.push(own);
      return spec;
    }
    const { part, quantization } = narrow(spec.name, new Float32Array(Uint8Array.from(own).buffer), type);
    parts.push(part);
    return { ...spec, quantization: { ...quantization, original_dtype: spec.dtype } as typeof quantization };
  });
  return { specs: entries, data: new Uint8Array(Buffer.concat(parts)) };
}

interface Narrowed {
  readonly part: Uint8Array;
  readonly quantization: NonNullable<io.WeightsManifestEntry['quantization']>;
}

function narrow(name: string, values: Float32Array, type: Quantization): Narrowed {
  const strange = values.find((value) => !Number.isFinite(value));
  if (strange !== undefined) {
    throw new Error(
      `[engine] weight ${name} holds ${strange}: has the training diverged? Save it without quantize`,
    );
  }
  return type === 'float16' ? halve(name, values) : scaled(values, type);
}

/** The largest float16. */
const MOST = 65504;

function halve(name: string, values: Float32Array): Narrowed {
  const large = values.find((value) => Math.abs(value) > MOST);
  if (large !== undefined) {
    throw new Error(
      `[engine] weight ${name} holds ${large}, and float16 ends at ${MOST}: quantize to uint16 instead`,
    );
  }
  return { part: bytesOf(new Float16Array(values)), quantization: { dtype: 'float16' } };
}

function scaled(values: Float32Array, dtype: 'uint8' | 'uint16'): Narrowed {
  const Narrow = dtype === 'uint8' ? Uint8Array : Uint16Array;
  const steps = 2 ** (8 * Narrow.BYTES_PER_ELEMENT) - 1;
  const { min, scale } = rangeOf(values, steps);
  const narrow = new Narrow(values.length);
  values.forEach((value, i) => {
    narrow[i] = Math.min(steps, Math.max(0, Math.round((value - min) / scale)));
  });
  return { part: bytesOf(narrow), quantization: { dtype, min, scale } };
}

function rangeOf(values: Float32Array, steps: number): { readonly min: number; readonly scale: number } {
  let [min, max] = [values[0] ?? 0, values[0] ?? 0];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min === max) return { min, scale: 1 };
  const scale = (max - min) / steps;
  // + 0: there is no -0 in JSON
  return { min: min <= 0 && max >= 0 ? -Math.round(-min / scale) * scale + 0 : min, scale };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
