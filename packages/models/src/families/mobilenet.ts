import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { IMAGENET, type ImageFamilyArgs } from './images.ts';
import { imageOf, modelOf, Net } from './net.ts';

/** Filters and strides behind each depthwise convolution. */
const V1 = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const;

/**
 * MobileNet: depthwise and 1 x 1 convolutions by turns. Logits, from a Dense layer.
 *
 * A. Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision applications",
 * arXiv:1704.04861, 2017, table 1.
 */
export function mobileNet({ inputShape = IMAGENET, ...args }: ImageFamilyArgs = {}): LayersModel {
  const net = new Net(args);
  const image = imageOf(inputShape);
  const lively = (from: SymbolicTensor, name: string) =>
    net.relu6(net.norm(from, `${name}_bn`), `${name}_relu`);
  let tensor = lively(net.conv(image, 'conv1', 32, 3, { strides: 2, useBias: false }), 'conv1');
  for (const [i, [filters, strides]] of V1.entries()) {
    const [deep, point] = [`conv_dw_${i + 1}`, `conv_pw_${i + 1}`];
    tensor = lively(net.depthwise(tensor, deep, 3, strides), deep);
    tensor = lively(net.conv(tensor, point, filters, 1, { useBias: false }), point);
  }
  return modelOf(image, net.pooledLogits(tensor), 'mobilenet');
}

/** Times the channels inside the blocks of a stage, channels outside, blocks, and strides of the first. */
const V2 = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * MobileNetV2: inverted residual blocks. Logits.
 *
 * M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen, "MobileNetV2: inverted residuals and linear bottlenecks",
 * CVPR 2018, table 2.
 */
export function mobileNetV2({ inputShape = IMAGENET, ...args }: ImageFamilyArgs = {}): LayersModel {
  const net = new Net(args);
  const image = imageOf(inputShape);
  const plain = { useBias: false } as const;
  const lively = (from: SymbolicTensor, name: string) =>
    net.relu6(net.norm(from, `${name}_bn`), `${name}_relu`);
  let [tensor, channels] = [lively(net.conv(image, 'conv1', 32, 3, { ...plain, strides: 2 }), 'conv1'), 32];
  for (const [stage, [times, filters, blocks, first]] of V2.entries()) {
    for (let block = 1; block <= blocks; block++) {
      const name = `stage${stage + 1}_block${block}`;
      const wide =
        times === 1
          ? tensor
          : lively(net.conv(tensor, `${name}_expand`, times * channels, 1, plain), `${name}_expand`);
      const deep = lively(
        net.depthwise(wide, `${name}_depthwise`, 3, block === 1 ? first : 1),
        `${name}_depthwise`,
      );
      const narrow = net.norm(net.conv(deep, `${name}_project`, filters, 1, plain), `${name}_project_bn`);
      tensor = block === 1 ? narrow : net.add(`${name}_add`, tensor, narrow);
      channels = filters;
    }
  }
  const last = lively(net.conv(tensor, 'conv_last', 1280, 1, plain), 'conv_last');
  return modelOf(image, net.pooledLogits(last), 'mobilenet_v2');
}
