import * as tf from '@tensorflow/tfjs-core';
import { type Windows, windowsOf } from './window.ts';

/** Where the windows of a 3D convolution or pooling lie, for one NDHWC input. */
export interface Volumes extends Windows {
  inDepth: number;
  outDepth: number;
  depth: number;
  strideDepth: number;
  front: number;
}

/** Reads the geometry out of TensorFlow.js' own account of a 3D convolution or pooling. */
export function volumesOf(info: tf.backend_util.Conv3DInfo): Volumes {
  return {
    ...windowsOf(info as unknown as tf.backend_util.Conv2DInfo),
    inDepth: info.inDepth,
    outDepth: info.outDepth,
    depth: info.filterDepth,
    strideDepth: info.strideDepth,
    front: info.padInfo.front,
  };
}

/** The windows of a 3D pooling. */
export function poolVolumes(
  shape: number[],
  {
    filterSize,
    strides,
    pad,
    dimRoundingMode,
  }: Pick<tf.MaxPool3DAttrs, 'filterSize' | 'strides' | 'pad' | 'dimRoundingMode'>,
): Volumes {
  type Shape5D = [number, number, number, number, number];
  return volumesOf(
    tf.backend_util.computePool3DInfo(shape as Shape5D, filterSize, strides, 1, pad, dimRoundingMode),
  );
}

/** The part of a window that lies inside the input: along each axis the first position and the one after the last. */
export interface Box {
  front: number;
  back: number;
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/**
 * Visits every window with the offset of its output's first channel, and that of its image. The box is one object,
 * written anew for each window.
 */
export function forEachBox(v: Volumes, visit: (output: number, image: number, box: Box) => void): void {
  const box: Box = { front: 0, back: 0, top: 0, bottom: 0, left: 0, right: 0 };
  let output = 0;
  for (let b = 0; b < v.batch; b++) {
    const image = b * v.inDepth * v.inHeight * v.inWidth * v.inChannels;
    for (let od = 0; od < v.outDepth; od++) {
      const front = od * v.strideDepth - v.front;
      [box.front, box.back] = [Math.max(0, front), Math.min(v.inDepth, front + v.depth)];
      for (let oh = 0; oh < v.outHeight; oh++) {
        const top = oh * v.strideHeight - v.top;
        [box.top, box.bottom] = [Math.max(0, top), Math.min(v.inHeight, top + v.height)];
        for (let ow = 0; ow < v.outWidth; ow++, output += v.inChannels) {
          const left = ow * v.strideWidth - v.left;
          [box.left, box.right] = [Math.max(0, left), Math.min(v.inWidth, left + v.width)];
          visit(output, image, box);
        }
      }
    }
  }
}

/** Visits every input position in a box, by the offset of its first channel. */
export function forEachInput(v: Volumes, image: number, box: Box, visit: (input: number) => void): void {
  for (let d = box.front; d < box.back; d++) {
    for (let h = box.top; h < box.bottom; h++) {
      const row = image + (d * v.inHeight + h) * v.inWidth * v.inChannels;
      for (let w = box.left; w < box.right; w++) visit(row + w * v.inChannels);
    }
  }
}
