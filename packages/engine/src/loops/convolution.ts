import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type * as tf from '@tensorflow/tfjs-core';
import type { Windows } from '../kernels/window.ts';
import { addressOf, type Loops, packedBytes, repeat, roomFor } from './loops.ts';

/**
 * Convolutions as multiplications whose left side is the image itself: its windows overlap, and need not be laid
 * out one by one as columns. Image by image, so that all of it stays in the cache.
 */
interface Layout extends Windows {
  readonly outChannels: number;
  /** Bytes in a line of the image, with its padding if it has any. */
  readonly line: number;
  /** Bytes of one image with its padding; 0 when it has none, and is read or written in place. */
  readonly padded: number;
  readonly outputs: number;
  readonly weights: number;
  /** Numbers of one window that follow each other. */
  readonly run: number;
}

function layoutOf(w: Windows, outChannels: number): Layout {
  const wantedHeight = (w.outHeight - 1) * w.strideHeight + w.height;
  const wantedWidth = (w.outWidth - 1) * w.strideWidth + w.width;
  const plain = w.top === 0 && w.left === 0 && wantedHeight <= w.inHeight && wantedWidth <= w.inWidth;
  const line = (plain ? w.inWidth : Math.max(wantedWidth, w.left + w.inWidth)) * w.inChannels * 4;
  const run = w.width * w.inChannels;
  const padded = plain ? 0 : line * Math.max(wantedHeight, w.top + w.inHeight);
  return {
    ...w,
    ...{ outChannels, line, padded, run, outputs: w.outHeight * w.outWidth, weights: w.height * run },
  };
}

/** Copies an image between its place and the room with padding. */
function copyImage(loops: Loops, l: Layout, image: number, room: number, way: 'in' | 'out'): void {
  const inside = room + l.top * l.line + l.left * l.inChannels * 4;
  const bytes = l.inWidth * l.inChannels * 4;
  if (way === 'in') loops.copyLines(image, bytes, inside, l.line, bytes, l.inHeight);
  else loops.copyLines(inside, l.line, image, bytes, bytes, l.inHeight);
}

/** Calls `visit` with the address of each image; in `room`, with its padding, where the windows leave it. */
function forEachImage(
  loops: Loops,
  l: Layout,
  { x, room }: { x: number; room: number },
  visit: (image: number, i: number) => void,
): void {
  const size = l.inHeight * l.inWidth * l.inChannels * 4;
  loops.clear(room, l.padded);
  for (let i = 0; i < l.batch; i++) {
    if (l.padded) copyImage(loops, l, x + i * size, room, 'in');
    visit(l.padded ? room : x + i * size, i);
  }
}

/**
 * x [batch, inHeight, inWidth, inChannels], filter [height, width, inChannels, outChannels] and, if there is one, a
 * bias [outChannels] to the output.
 */
export function convolve(
  backend: BackendWasm,
  loops: Loops,
  w: Windows,
  { x, filter, bias }: { x: tf.TensorInfo; filter: tf.TensorInfo; bias?: tf.TensorInfo | undefined },
): tf.TensorInfo {
  const l = layoutOf(w, filter.shape[3]!);
  const out = backend.makeOutput([l.batch, l.outHeight, l.outWidth, l.outChannels], 'float32');
  const lineOut = l.outChannels * 4;
  const side = packedBytes(l.weights, l.outChannels);
  const packed = roomFor(backend, side + l.padded);
  const [from, to] = [addressOf(backend, x), addressOf(backend, out)];
  if (bias) repeat(loops, addressOf(backend, bias), lineOut, l.batch * l.outputs, to);
  loops.pack(addressOf(backend, filter), lineOut, 4, l.weights, l.outChannels, packed);
  forEachImage(loops, l, { x: from, room: packed + side }, (image, i) => {
    // biome-ignore format: a, its k, b, c, sizes
    loops.multiply(
      image, l.outWidth, l.strideWidth * l.inChannels * 4, l.strideHeight * l.line, l.run, 4, l.line,
      packed,
      to + i * l.outputs * lineOut, l.outputs, lineOut, 0,
      l.outputs, l.outChannels, l.weights, Number(!!bias),
    );
  });
  return out;
}

/** The gradient by the filter: the sum over all windows of window times error. */
export function filterGradient(
  backend: BackendWasm,
  loops: Loops,
  w: Windows,
  { x, dy }: { x: tf.TensorInfo; dy: tf.TensorInfo },
): tf.TensorInfo {
  const l = layoutOf(w, dy.shape[3]!);
  const out = backend.makeOutput([l.height, l.width, l.inChannels, l.outChannels], 'float32');
  const lineOut = l.outChannels * 4;
  const side = packedBytes(l.outputs, l.outChannels);
  const packed = roomFor(backend, side + l.padded);
  const [from, errors, to] = [addressOf(backend, x), addressOf(backend, dy), addressOf(backend, out)];
  forEachImage(loops, l, { x: from, room: packed + side }, (image, i) => {
    loops.pack(errors + i * l.outputs * lineOut, lineOut, 4, l.outputs, l.outChannels, packed);
    // biome-ignore format: a, its k, b, c, sizes
    loops.multiply(
      image, l.run, 4, l.line, l.outWidth, l.strideWidth * l.inChannels * 4, l.strideHeight * l.line,
      packed,
      to, l.weights, lineOut, 0,
      l.weights, l.outChannels, l.outputs, Number(i > 0),
    );
  });
  return out;
}

/** The gradient by the input: each error times the filter, added to its window, line by line of the filter. */
export function inputGradient(
  backend: BackendWasm,
  loops: Loops,
  w: Windows,
  { dy, filter }: { dy: tf.TensorInfo; filter: tf.TensorInfo },
): tf.TensorInfo {
  const l = layoutOf(w, filter.shape[3]!);
  const out = backend.makeOutput([l.batch, l.inHeight, l.inWidth, l.inChannels], 'float32');
  const [size, lineOut] = [l.inHeight * l.inWidth * l.inChannels * 4, l.outChannels * 4];
  const side = packedBytes(l.outChannels, l.run);
  const packed = roomFor(backend, side * l.height + l.padded);
  const [room, errors, dx] = [packed + side * l.height, addressOf(backend, dy), addressOf(backend, out)];
  const weights = addressOf(backend, filter);
  for (let kh = 0; kh < l.height; kh++) {
    loops.pack(weights + kh * l.run * lineOut, 4, lineOut, l.outChannels, l.run, packed + kh * side);
  }
  for (let i = 0; i < l.batch; i++) {
    const image = l.padded ? room : dx + i * size;
    loops.clear(image, l.padded || size);
    for (let kh = 0; kh < l.height; kh++) {
      // biome-ignore format: a, its k, b, c, sizes
      loops.multiply(
        errors + i * l.outputs * lineOut, l.outputs, lineOut, 0, l.outChannels, 4, 0,
        packed + kh * side,
        image + kh * l.line, l.outWidth, l.strideWidth * l.inChannels * 4, l.strideHeight * l.line,
        l.outputs, l.run, l.outChannels, 1,
      );
    }
    if (l.padded) copyImage(loops, l, dx + i * size, room, 'out');
  }
  return out;
}
