import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type * as tf from '@tensorflow/tfjs-core';
import type { Windows } from '../kernels/window.ts';
import { addressOf, type Loops, packedBytes, repeat, withScratch } from './loops.ts';

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

/** Calls `visit` with the address of each image, padded where the windows leave it. */
function forEachImage(
  backend: BackendWasm,
  loops: Loops,
  l: Layout,
  x: tf.TensorInfo,
  visit: (image: number, i: number) => void,
): void {
  const size = l.inHeight * l.inWidth * l.inChannels * 4;
  withScratch(backend, l.padded, (room) => {
    loops.clear(room, l.padded);
    const start = addressOf(backend, x);
    for (let i = 0; i < l.batch; i++) {
      if (l.padded) copyImage(loops, l, start + i * size, room, 'in');
      visit(l.padded ? room : start + i * size, i);
    }
  });
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
  if (bias) repeat(loops, addressOf(backend, bias), lineOut, l.batch * l.outputs, addressOf(backend, out));
  withScratch(backend, packedBytes(l.weights, l.outChannels), (packed) => {
    loops.pack(addressOf(backend, filter), lineOut, 4, l.weights, l.outChannels, packed);
    forEachImage(backend, loops, l, x, (image, i) => {
      const to = addressOf(backend, out) + i * l.outputs * lineOut;
      // biome-ignore format: a, its k, b, c, sizes
      loops.multiply(
        image, l.outWidth, l.strideWidth * l.inChannels * 4, l.strideHeight * l.line, l.run, 4, l.line,
        packed,
        to, l.outputs, lineOut, 0,
        l.outputs, l.outChannels, l.weights, Number(bias !== undefined),
      );
    });
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
  withScratch(backend, packedBytes(l.outputs, l.outChannels), (packed) => {
    forEachImage(backend, loops, l, x, (image, i) => {
      loops.pack(
        addressOf(backend, dy) + i * l.outputs * lineOut,
        lineOut,
        4,
        l.outputs,
        l.outChannels,
        packed,
      );
      // biome-ignore format: a, its k, b, c, sizes
      loops.multiply(
        image, l.run, 4, l.line, l.outWidth, l.strideWidth * l.inChannels * 4, l.strideHeight * l.line,
        packed,
        addressOf(backend, out), l.weights, lineOut, 0,
        l.weights, l.outChannels, l.outputs, Number(i > 0),
      );
    });
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
  withScratch(backend, side * l.height + l.padded, (packed) => {
    const [room, errors, dx] = [packed + side * l.height, addressOf(backend, dy), addressOf(backend, out)];
    for (let kh = 0; kh < l.height; kh++) {
      const lineOfFilter = addressOf(backend, filter) + kh * l.run * lineOut;
      loops.pack(lineOfFilter, 4, lineOut, l.outChannels, l.run, packed + kh * side);
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
  });
  return out;
}
