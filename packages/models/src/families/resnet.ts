import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { IMAGENET, type ImageFamilyArgs } from './images.ts';
import { imageOf, modelOf, Net } from './net.ts';

/** Filters inside the blocks of each stage, and how many blocks. */
const STAGES = [
  [64, 3],
  [128, 4],
  [256, 6],
  [512, 3],
] as const;

/**
 * ResNet50 as Keras has it, with strides in the first convolution of a block. Logits.
 *
 * K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016, table 1.
 */
export function resNet50({ inputShape = IMAGENET, ...args }: ImageFamilyArgs = {}): LayersModel {
  const net = new Net(args);
  const image = imageOf(inputShape);
  const normed = (from: SymbolicTensor, name: string, filters: number, size: number, strides = 1) =>
    net.norm(net.conv(from, `${name}_conv`, filters, size, { strides }), `${name}_bn`);
  const lively = (...what: Parameters<typeof normed>) => net.relu(normed(...what), `${what[1]}_relu`);

  let tensor = net.maxPool(lively(image, 'conv1', 64, 7, 2), 'pool1', 3, 2, 'same');
  for (const [stage, [filters, blocks]] of STAGES.entries()) {
    for (let block = 1; block <= blocks; block++) {
      const name = `conv${stage + 2}_block${block}`;
      const strides = block === 1 && stage > 0 ? 2 : 1;
      const shortcut = block === 1 ? normed(tensor, `${name}_0`, 4 * filters, 1, strides) : tensor;
      const inner = lively(lively(tensor, `${name}_1`, filters, 1, strides), `${name}_2`, filters, 3);
      const sum = net.add(`${name}_add`, shortcut, normed(inner, `${name}_3`, 4 * filters, 1));
      tensor = net.relu(sum, `${name}_out`);
    }
  }
  return modelOf(image, net.pooledLogits(tensor), 'resnet50');
}

/**
 * ResNet50V2 as Keras has it: normalised before each convolution, strides in the last block of a stage. Logits.
 *
 * K. He, X. Zhang, S. Ren, J. Sun, "Identity mappings in deep residual networks", ECCV 2016, fig. 1b.
 */
export function resNet50V2({ inputShape = IMAGENET, ...args }: ImageFamilyArgs = {}): LayersModel {
  const net = new Net(args);
  const image = imageOf(inputShape);
  const lively = (from: SymbolicTensor, name: string) =>
    net.relu(net.norm(from, `${name}_bn`), `${name}_relu`);

  let tensor = net.maxPool(net.conv(image, 'conv1_conv', 64, 7, { strides: 2 }), 'pool1', 3, 2, 'same');
  for (const [stage, [filters, blocks]] of STAGES.entries()) {
    for (let block = 1; block <= blocks; block++) {
      const name = `conv${stage + 2}_block${block}`;
      const strides = block === blocks && stage < STAGES.length - 1 ? 2 : 1;
      const ready = lively(tensor, `${name}_preact`);
      const skipped = strides === 1 ? tensor : net.maxPool(tensor, `${name}_pool`, 1, strides, 'valid');
      const shortcut = block === 1 ? net.conv(ready, `${name}_0_conv`, 4 * filters, 1) : skipped;
      const first = net.conv(ready, `${name}_1_conv`, filters, 1, { useBias: false });
      const inner = lively(first, `${name}_1`);
      const second = net.conv(inner, `${name}_2_conv`, filters, 3, { strides, useBias: false });
      const last = net.conv(lively(second, `${name}_2`), `${name}_3_conv`, 4 * filters, 1);
      tensor = net.add(`${name}_out`, shortcut, last);
    }
  }
  return modelOf(image, net.pooledLogits(lively(tensor, 'post')), 'resnet50v2');
}
