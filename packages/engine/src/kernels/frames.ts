import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { floats } from './kernel.ts';
import { type Volumes, volumesOf } from './volume.ts';

type Shape5D = [number, number, number, number, number];

/** The windows of a 3D convolution without dilation. */
export function convVolumes(
  inputShape: number[],
  filterShape: number[],
  { strides, pad }: Pick<tf.Conv3DAttrs, 'strides' | 'pad'>,
): Volumes {
  return volumesOf(
    tf.backend_util.computeConv3DInfo(inputShape as Shape5D, filterShape as Shape5D, strides, 1, pad),
  );
}

/**
 * A 3D convolution is a sum of 2D ones, one for each slice of its filter, over those frames (images at one depth)
 * that the slice meets: pairs of an input frame and an output frame, numbered over the whole batch.
 */
export interface Meeting {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** The frames that a slice of the filter meets. */
export function meetingOf(v: Volumes, slice: number): Meeting {
  const [inputs, outputs]: [number[], number[]] = [[], []];
  for (let b = 0; b < v.batch; b++) {
    for (let od = 0; od < v.outDepth; od++) {
      const depth = od * v.strideDepth - v.front + slice;
      if (depth < 0 || depth >= v.inDepth) continue;
      inputs.push(b * v.inDepth + depth);
      outputs.push(b * v.outDepth + od);
    }
  }
  return { inputs, outputs };
}

/** The attributes of the 2D convolutions. */
export function flatAttrs(v: Volumes): tf.NamedAttrMap {
  const bottom = (v.outHeight - 1) * v.strideHeight + v.height - v.inHeight - v.top;
  const right = (v.outWidth - 1) * v.strideWidth + v.width - v.inWidth - v.left;
  return {
    strides: [v.strideHeight, v.strideWidth],
    pad: [[0, 0], [v.top, Math.max(0, bottom)], [v.left, Math.max(0, right)], [0, 0]], // biome-ignore format: sides
    dataFormat: 'NHWC',
    dilations: [1, 1],
    dimRoundingMode: 'floor',
  } as unknown as tf.NamedAttrMap;
}

/** A copy of some frames, one after the other; the caller disposes it. */
export function pickFrames(backend: BackendWasm, x: tf.TensorInfo, frames: readonly number[]): tf.TensorInfo {
  const frame = x.shape.slice(2);
  const size = tf.util.sizeFromShape(frame);
  const out = backend.makeOutput([frames.length, ...frame], 'float32');
  const [to, from] = [floats(backend, out), floats(backend, x)];
  frames.forEach((n, i) => {
    to.set(from.subarray(n * size, (n + 1) * size), i * size);
  });
  return out;
}

/** Adds each frame of `part` to the frame of `sum` that is named for it. */
export function addFrames(
  backend: BackendWasm,
  sum: tf.TensorInfo,
  part: tf.TensorInfo,
  frames: readonly number[],
): void {
  const size = tf.util.sizeFromShape(sum.shape.slice(2));
  const [to, from] = [floats(backend, sum), floats(backend, part)];
  frames.forEach((n, i) => {
    for (let k = 0; k < size; k++) to[n * size + k]! += from[i * size + k]!;
  });
}

/** A copy of one slice of a filter, as a filter of a 2D convolution; the caller disposes it. */
export function sliceOf(backend: BackendWasm, filter: tf.TensorInfo, slice: number): tf.TensorInfo {
  const shape = filter.shape.slice(1);
  const size = tf.util.sizeFromShape(shape);
  const out = backend.makeOutput(shape, 'float32');
  floats(backend, out).set(floats(backend, filter).subarray(slice * size, (slice + 1) * size));
  return out;
}
