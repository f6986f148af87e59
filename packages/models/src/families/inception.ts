import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ImageFamilyArgs } from './images.ts';
import { type ConvArgs, imageOf, modelOf, Net } from './net.ts';

type Size = number | [number, number];

/** A convolution without biases, normalised; `next` makes of one tensor the next, with numbered names. */
class Chain {
  readonly #net: Net;
  readonly #name: string;
  readonly tensor: SymbolicTensor;

  constructor(net: Net, name: string, tensor: SymbolicTensor) {
    this.#net = net;
    this.#name = name;
    this.tensor = tensor;
  }

  next(filters: number, size: Size, args: ConvArgs = {}): Chain {
    const conv = this.#net.conv(this.tensor, `${this.#name}_conv`, filters, size, {
      useBias: false,
      ...args,
    });
    const tensor = this.#net.relu(this.#net.norm(conv, `${this.#name}_bn`), `${this.#name}_relu`);
    return new Chain(this.#net, `${this.#name}x`, tensor);
  }
}

/**
 * InceptionV3 as Keras has it, but that its normalisations have scales: TensorFlow.js can't train them without. Images
 * of 75 x 75 and more. Logits.
 *
 * C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, "Rethinking the Inception architecture for computer vision",
 * CVPR 2016, table 1.
 */
export function inceptionV3({ inputShape = [299, 299, 3], ...args }: ImageFamilyArgs = {}): LayersModel {
  const net = new Net(args);
  const image = imageOf(inputShape);
  let tensor = stem(net, image);
  for (const [i, pooled] of [32, 64, 64].entries()) tensor = blockA(net, tensor, `mixed${i}`, pooled);
  tensor = reduceA(net, tensor, 'mixed3');
  for (const [i, inner] of [128, 160, 160, 192].entries())
    tensor = blockB(net, tensor, `mixed${i + 4}`, inner);
  tensor = reduceB(net, tensor, 'mixed8');
  for (const name of ['mixed9', 'mixed10']) tensor = blockC(net, tensor, name);
  return modelOf(image, net.pooledLogits(tensor), 'inception_v3');
}

function stem(net: Net, image: SymbolicTensor): SymbolicTensor {
  const valid = { padding: 'valid' } as const;
  const first = new Chain(net, 'stem1', image).next(32, 3, { ...valid, strides: 2 });
  const pooled = net.maxPool(first.next(32, 3, valid).next(64, 3).tensor, 'stem1_pool', 3, 2, 'valid');
  const second = new Chain(net, 'stem2', pooled).next(80, 1, valid).next(192, 3, valid);
  return net.maxPool(second.tensor, 'stem2_pool', 3, 2, 'valid');
}

function blockA(net: Net, from: SymbolicTensor, name: string, pooled: number): SymbolicTensor {
  const chain = (branch: string, tensor = from) => new Chain(net, `${name}_${branch}`, tensor);
  return net.concat(
    name,
    chain('a').next(64, 1).tensor,
    chain('b').next(48, 1).next(64, 5).tensor,
    chain('c').next(64, 1).next(96, 3).next(96, 3).tensor,
    chain('d', net.averagePool(from, `${name}_pool`, 3, 1)).next(pooled, 1).tensor,
  );
}

function reduceA(net: Net, from: SymbolicTensor, name: string): SymbolicTensor {
  const chain = (branch: string) => new Chain(net, `${name}_${branch}`, from);
  const half = { strides: 2, padding: 'valid' } as const;
  return net.concat(
    name,
    chain('a').next(384, 3, half).tensor,
    chain('b').next(64, 1).next(96, 3).next(96, 3, half).tensor,
    net.maxPool(from, `${name}_pool`, 3, 2, 'valid'),
  );
}

function blockB(net: Net, from: SymbolicTensor, name: string, inner: number): SymbolicTensor {
  const chain = (branch: string, tensor = from) => new Chain(net, `${name}_${branch}`, tensor);
  const twice = chain('c').next(inner, 1).next(inner, [7, 1]).next(inner, [1, 7]);
  return net.concat(
    name,
    chain('a').next(192, 1).tensor,
    chain('b').next(inner, 1).next(inner, [1, 7]).next(192, [7, 1]).tensor,
    twice.next(inner, [7, 1]).next(192, [1, 7]).tensor,
    chain('d', net.averagePool(from, `${name}_pool`, 3, 1)).next(192, 1).tensor,
  );
}

function reduceB(net: Net, from: SymbolicTensor, name: string): SymbolicTensor {
  const chain = (branch: string) => new Chain(net, `${name}_${branch}`, from);
  const half = { strides: 2, padding: 'valid' } as const;
  return net.concat(
    name,
    chain('a').next(192, 1).next(320, 3, half).tensor,
    chain('b').next(192, 1).next(192, [1, 7]).next(192, [7, 1]).next(192, 3, half).tensor,
    net.maxPool(from, `${name}_pool`, 3, 2, 'valid'),
  );
}

function blockC(net: Net, from: SymbolicTensor, name: string): SymbolicTensor {
  const chain = (branch: string, tensor = from) => new Chain(net, `${name}_${branch}`, tensor);
  const both = (branch: string, tensor: SymbolicTensor): SymbolicTensor =>
    net.concat(
      `${name}_${branch}`,
      chain(`${branch}_wide`, tensor).next(384, [1, 3]).tensor,
      chain(`${branch}_high`, tensor).next(384, [3, 1]).tensor,
    );
  return net.concat(
    name,
    chain('a').next(320, 1).tensor,
    both('b', chain('b').next(384, 1).tensor),
    both('c', chain('c').next(448, 1).next(384, 3).tensor),
    chain('d', net.averagePool(from, `${name}_pool`, 3, 1)).next(192, 1).tensor,
  );
}
