import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { compiled } from './compiled.ts';

/**
 * The loops of assembly/, four numbers at a time, on the memory of the wasm backend; what they do is told there.
 * Arguments are addresses and strides in bytes, counts, and single numbers.
 */
// biome-ignore format: one line each, as they are called
export interface Loops {
  pack(b: number, line: number, column: number, k: number, n: number, out: number): void;
  multiply(
    a: number, aInner: number, aStep: number, aJump: number, kInner: number, kStep: number, kJump: number,
    b: number,
    c: number, cInner: number, cStep: number, cJump: number,
    m: number, n: number, k: number, add: number,
  ): void;
  maxPoolGradient(
    x: number, y: number, dy: number, dx: number,
    batch: number, inHeight: number, inWidth: number, channels: number, outHeight: number, outWidth: number,
    height: number, width: number, strideHeight: number, strideWidth: number, top: number, left: number,
  ): void;
  sumLines(x: number, lines: number, n: number, out: number): void;
  addLine(x: number, line: number, lines: number, n: number, out: number): void;
  copyLines(from: number, fromStep: number, to: number, toStep: number, bytes: number, count: number): void;
  clear(at: number, bytes: number): void;
  gather(x: number, indices: number, count: number, bytes: number, limit: number, out: number): number;
  relu(x: number, n: number): void;
  within(dy: number, x: number, n: number, low: number, high: number, dx: number): void;
  softmaxGradient(dy: number, y: number, lines: number, n: number, dx: number): void;
  divisorGradient(dy: number, a: number, b: number, lines: number, n: number, db: number): void;
  spread(x: number, lines: number, n: number, scale: number, out: number): void;
  adam(
    out: number, value: number, gradient: number, m: number, v: number, n: number,
    beta1: number, rest1: number, beta2: number, rest2: number, rate: number, correction: number, epsilon: number,
  ): void;
}

/** What is used of WebAssembly, and of the backend's own module: neither is among the types at hand. */
interface WebAssemblyParts {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: { env: { memory: Memory } }) => { exports: unknown };
}
interface Memory {
  readonly buffer: ArrayBufferLike;
}

const made = new WeakMap<BackendWasm, Loops | false>();

/**
 * The loops for this backend; none without SIMD, where the backend runs in several threads (it shares its memory
 * then, and XNNPACK uses them), or where it keeps its memory to itself. Kernels then go the way without.
 */
export function loopsOf(backend: BackendWasm): Loops | undefined {
  let loops = made.get(backend);
  if (loops === undefined) {
    loops = instantiate(backend) ?? false;
    made.set(backend, loops);
  }
  return loops || undefined;
}

function instantiate(backend: BackendWasm): Loops | undefined {
  if (!tf.env().getBool('WASM_HAS_SIMD_SUPPORT')) return undefined;
  const { wasm } = backend as unknown as { wasm: { asm?: { memory?: Memory }; PThread?: object } };
  if (wasm.PThread) return undefined;
  try {
    const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyParts }).WebAssembly;
    const bytes = Uint8Array.from(atob(compiled), (letter) => letter.charCodeAt(0));
    return new Instance(new Module(bytes), { env: { memory: wasm.asm!.memory! } }).exports as Loops;
  } catch (error) {
    console.warn(
      `[engine] the wasm backend trains slower than it could: its memory can't be used (${error})`,
    );
    return undefined;
  }
}

/** Where a tensor's data lies; what lies on another backend is moved here first. */
export function addressOf(backend: BackendWasm, { dataId }: tf.TensorInfo): number {
  return backend.dataIdMap.get(dataId).memoryOffset;
}

const rooms = new WeakMap<BackendWasm, { readonly address: number; readonly bytes: number }>();

/** Room for so many bytes, until a kernel asks again: it grows to the most that was asked for, and stays. */
export function roomFor(backend: BackendWasm, bytes: number): number {
  const room = rooms.get(backend);
  if (room && room.bytes >= bytes) return room.address;
  const heap = backend.wasm as unknown as { _malloc(bytes: number): number; _free(address: number): void };
  if (room) heap._free(room.address);
  rooms.delete(backend);
  // unsigned, as the backend itself does: addresses go up to 4 GB
  const address = heap._malloc(bytes) >>> 0;
  if (address === 0) throw new Error('[engine] the heap of the wasm backend is full; use smaller batches');
  rooms.set(backend, { address, bytes });
  return address;
}

/** How many bytes `pack` writes for a right side [k, n]: the columns are filled up to fours. */
export function packedBytes(k: number, n: number): number {
  return k * Math.ceil(n / 4) * 16;
}

/** Writes a line again and again, for `multiply` to add to: what is there already is copied as a whole. */
export function repeat(loops: Loops, line: number, bytes: number, times: number, to: number): void {
  loops.copyLines(line, 0, to, 0, bytes, 1);
  for (let done = 1; done < times; done *= 2) {
    loops.copyLines(to, 0, to + done * bytes, 0, Math.min(done, times - done) * bytes, 1);
  }
}
