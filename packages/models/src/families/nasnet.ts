import * as tf from '@tensorflow/tfjs-layers';
import { IMAGENET, type ImageFamilyArgs } from './images.ts';
import { imageOf, modelOf, Net } from './net.ts';

type Tensor = tf.SymbolicTensor;

const plain = { useBias: false } as const;

/**
 * NASNet-A (4 @ 1056), NASNetMobile in Keras: cells of separable convolutions that read the last two cells. Logits.
 *
 * B. Zoph, V. Vasudevan, J. Shlens, Q. Le, "Learning transferable architectures for scalable image recognition",
 * CVPR 2018, fig. 4.
 */
export function nasNetMobile({ inputShape = IMAGENET, ...args }: ImageFamilyArgs = {}): tf.LayersModel {
  const net = new Net(args);
  const image = imageOf(inputShape);
  const stem = net.norm(
    net.conv(image, 'stem_conv', 32, 3, { ...plain, strides: 2, padding: 'valid' }),
    'stem_bn',
  );
  let [last, beforeLast] = [reduction(net, stem, stem, 'stem_1', 11), stem];
  [last, beforeLast] = [reduction(net, last, beforeLast, 'stem_2', 22), last];
  for (const [stage, filters] of [44, 88, 176].entries()) {
    if (stage > 0) [last, beforeLast] = [reduction(net, last, beforeLast, `reduce_${stage}`, filters), last];
    for (let cell = 1; cell <= 4; cell++) {
      [last, beforeLast] = [normal(net, last, beforeLast, `stage${stage + 1}_cell${cell}`, filters), last];
    }
  }
  return modelOf(image, net.pooledLogits(net.relu(last, 'last_relu')), 'nasnet_mobile');
}

function normal(net: Net, last: Tensor, beforeLast: Tensor, name: string, filters: number): Tensor {
  const { h, p } = inputsOf(net, last, beforeLast, name, filters);
  const separable = (from: Tensor, branch: string, size: number) =>
    twice(net, from, `${name}_${branch}`, { filters, size });
  const pool = (from: Tensor, branch: string) => net.averagePool(from, `${name}_${branch}`, 3, 1);
  const pairs = [
    [separable(h, 'left1', 5), separable(p, 'right1', 3)],
    [separable(p, 'left2', 5), separable(p, 'right2', 3)],
    [pool(h, 'left3'), p],
    [pool(p, 'left4'), pool(p, 'right4')],
    [separable(h, 'left5', 3), h],
  ] as const;
  return net.concat(`${name}_concat`, p, ...pairs.map((pair, i) => net.add(`${name}_add${i + 1}`, ...pair)));
}

function reduction(net: Net, last: Tensor, beforeLast: Tensor, name: string, filters: number): Tensor {
  const { h, p } = inputsOf(net, last, beforeLast, name, filters);
  const half = (from: Tensor, branch: string, size: number) =>
    twice(net, from, `${name}_${branch}`, { filters, size, strides: 2 });
  const sum = (i: number, left: Tensor, right: Tensor) => net.add(`${name}_add${i}`, left, right);
  const most = (branch: string) => net.maxPool(h, `${name}_${branch}`, 3, 2, 'same');
  const first = sum(1, half(h, 'left1', 5), half(p, 'right1', 7));
  const second = sum(2, most('left2'), half(p, 'right2', 7));
  const third = sum(3, net.averagePool(h, `${name}_left3`, 3, 2), half(p, 'right3', 5));
  const fourth = sum(4, second, net.averagePool(first, `${name}_left4`, 3, 1));
  const again = twice(net, first, `${name}_left5`, { filters, size: 3 });
  return net.concat(`${name}_concat`, second, third, fourth, sum(5, again, most('right5')));
}

/** What a cell works on: the last cell's output and that of the one before, both of `filters` channels and one size. */
function inputsOf(
  net: Net,
  last: Tensor,
  beforeLast: Tensor,
  name: string,
  filters: number,
): { h: Tensor; p: Tensor } {
  const narrowed = (from: Tensor, what: string): Tensor => {
    const conv = net.conv(net.relu(from, `${name}_${what}_relu`), `${name}_${what}_conv`, filters, 1, plain);
    return net.norm(conv, `${name}_${what}_bn`);
  };
  const h = narrowed(last, 'h');
  // the first cell has nothing else to read than the stem
  if (beforeLast === last) return { h, p: last };
  if (beforeLast.shape[1] !== last.shape[1]) return { h, p: halved(net, beforeLast, name, filters) };
  return { h, p: beforeLast.shape[3] === net.units(filters) ? beforeLast : narrowed(beforeLast, 'p') };
}

/** Half of the places give half of the channels, their lower right neighbours the others. */
function halved(net: Net, from: Tensor, name: string, filters: number): Tensor {
  const lively = net.relu(from, `${name}_p_relu`);
  const everySecond = (tensor: Tensor, half: string): Tensor => {
    const pooling = tf.layers.averagePooling2d({ poolSize: 1, strides: 2, name: `${name}_p_${half}_pool` });
    return net.conv(net.apply(pooling, tensor), `${name}_p_${half}_conv`, filters / 2, 1, plain);
  };
  const padding = { padding: [[0, 1], [0, 1]] as [[number, number], [number, number]] }; // biome-ignore format: a pair
  const padded = net.apply(tf.layers.zeroPadding2d({ ...padding, name: `${name}_p_padding` }), lively);
  const cropping = { cropping: [[1, 0], [1, 0]] as [[number, number], [number, number]] }; // biome-ignore format: a pair
  const moved = net.apply(tf.layers.cropping2D({ ...cropping, name: `${name}_p_cropping` }), padded);
  const both = net.concat(`${name}_p_concat`, everySecond(lively, '1'), everySecond(moved, '2'));
  return net.norm(both, `${name}_p_bn`);
}

interface Separable {
  readonly filters: number;
  readonly size: number;
  /** Of the first. Default 1. */
  readonly strides?: number;
}

/** A separable convolution and another one. */
function twice(net: Net, from: Tensor, name: string, { filters, size, strides = 1 }: Separable): Tensor {
  const one = (tensor: Tensor, number: number, step: number): Tensor => {
    const lively = net.relu(tensor, `${name}_relu${number}`);
    return net.norm(
      net.separable(lively, `${name}_conv${number}`, filters, size, step),
      `${name}_bn${number}`,
    );
  };
  return one(one(from, 1, strides), 2, 1);
}
