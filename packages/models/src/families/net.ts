import * as tf from '@tensorflow/tfjs-layers';
import { checkOneOf, checkWhole, checkWidths, fail } from '../check.ts';
import { initializersFrom, type NextInitializer } from '../layers.ts';

/** What every family takes. */
export interface FamilyArgs {
  /** The length of the output. Default 1000 for images, 2 for texts. */
  readonly classes?: number;
  /** What all numbers of units and channels are multiplied by, but for the output's. Default 1. */
  readonly width?: number;
  /** 'zeros' saves the drawing, which takes most of the time, if they are to be overwritten. Default 'random'. */
  readonly weights?: 'random' | 'zeros';
  /** Of the initial weights. Default 1. */
  readonly seed?: number;
}

/** What {@link Net.conv} takes beside the numbers. */
export interface ConvArgs {
  /** Default 1. */
  readonly strides?: number;
  /** Default 'same'. */
  readonly padding?: 'same' | 'valid';
  /** Default true. */
  readonly useBias?: boolean;
  /** Default none. */
  readonly activation?: 'relu' | 'swish' | 'sigmoid';
}

type Tensor = tf.SymbolicTensor;
type KernelSize = number | [number, number];
type Kernel = 'zeros' | ReturnType<NextInitializer>;
type Applied = Pick<tf.layers.Layer, 'apply'>;

/** A network in the making: layers with names, widths times the multiplier, kernels from one seed. */
export class Net {
  readonly #width: number;
  readonly #classes: number;
  readonly #next: () => Kernel;

  constructor({ width = 1, classes = 1000, weights = 'random', seed = 1 }: FamilyArgs) {
    if (!(width > 0 && width < Number.POSITIVE_INFINITY)) fail(`width must be above 0, got ${width}`);
    checkWhole('classes', classes, 1);
    checkOneOf('weights', weights, ['random', 'zeros']);
    this.#width = width;
    this.#classes = classes;
    this.#next = weights === 'zeros' ? () => 'zeros' : initializersFrom(seed);
  }

  /** So many channels of the original. */
  units(original: number): number {
    return Math.max(1, Math.round(original * this.#width));
  }

  apply(layer: Applied, ...from: Tensor[]): Tensor {
    return layer.apply(from.length === 1 ? from[0]! : from) as Tensor;
  }

  conv(from: Tensor, name: string, filters: number, kernelSize: KernelSize, args: ConvArgs = {}): Tensor {
    const made = { ...this.#kernel(), name, filters: this.units(filters), kernelSize };
    return this.apply(tf.layers.conv2d({ padding: 'same', ...made, ...args }), from);
  }

  /** Of twice the size. */
  transposed(from: Tensor, name: string, filters: number): Tensor {
    const shape = { filters: this.units(filters), kernelSize: 2, strides: 2, padding: 'same' } as const;
    return this.apply(tf.layers.conv2dTranspose({ ...this.#kernel(), name, ...shape }), from);
  }

  /** Without biases, as all that are followed by a normalisation. */
  depthwise(from: Tensor, name: string, kernelSize: number, strides: number): Tensor {
    const shape = { kernelSize, strides, padding: 'same', useBias: false } as const;
    return this.apply(
      tf.layers.depthwiseConv2d({ depthwiseInitializer: this.#next(), name, ...shape }),
      from,
    );
  }

  /** Without biases. */
  separable(from: Tensor, name: string, filters: number, kernelSize: number, strides = 1): Tensor {
    const kernels = { depthwiseInitializer: this.#next(), pointwiseInitializer: this.#next() };
    const shape = { filters: this.units(filters), kernelSize, strides, padding: 'same' } as const;
    return this.apply(tf.layers.separableConv2d({ ...kernels, name, ...shape, useBias: false }), from);
  }

  norm(from: Tensor, name: string): Tensor {
    return this.apply(tf.layers.batchNormalization({ name }), from);
  }

  relu(from: Tensor, name: string): Tensor {
    return this.apply(tf.layers.reLU({ name }), from);
  }

  /** Between 0 and 6. */
  relu6(from: Tensor, name: string): Tensor {
    return this.apply(tf.layers.reLU({ maxValue: 6, name }), from);
  }

  swish(from: Tensor, name: string): Tensor {
    return this.apply(tf.layers.activation({ activation: 'swish', name }), from);
  }

  add(name: string, ...from: Tensor[]): Tensor {
    return this.apply(tf.layers.add({ name }), ...from);
  }

  concat(name: string, ...from: Tensor[]): Tensor {
    return this.apply(tf.layers.concatenate({ name }), ...from);
  }

  maxPool(from: Tensor, name: string, poolSize: number, strides: number, padding: 'same' | 'valid'): Tensor {
    return this.apply(tf.layers.maxPooling2d({ poolSize, strides, padding, name }), from);
  }

  averagePool(from: Tensor, name: string, poolSize: number, strides: number): Tensor {
    return this.apply(tf.layers.averagePooling2d({ poolSize, strides, padding: 'same', name }), from);
  }

  dense(from: Tensor, name: string, units: number): Tensor {
    const made = { ...this.#kernel(), name, units: this.units(units), activation: 'relu' } as const;
    return this.apply(tf.layers.dense(made), from);
  }

  lstm(units: number, returnSequences: boolean, name: string): tf.layers.RNN {
    const kernels = { ...this.#kernel(), recurrentInitializer: this.#next() };
    return tf.layers.lstm({ ...kernels, units: this.units(units), returnSequences, name }) as tf.layers.RNN;
  }

  /** What comes of words: a vector for each. */
  embedding(from: Tensor, vocabulary: number, units: number): Tensor {
    const shape = { inputDim: vocabulary, outputDim: this.units(units), name: 'embedding' };
    return this.apply(tf.layers.embedding({ ...shape, embeddingsInitializer: this.#next() }), from);
  }

  /** A convolution over steps and the largest of what it finds. */
  widestMatch(from: Tensor, name: string, filters: number, kernelSize: number): Tensor {
    const shape = { filters: this.units(filters), kernelSize, activation: 'relu' } as const;
    const found = this.apply(tf.layers.conv1d({ ...this.#kernel(), name, ...shape }), from);
    return this.apply(tf.layers.globalMaxPooling1d({ name: `${name}_max` }), found);
  }

  /** Averages over a map, and one logit for each class. */
  pooledLogits(from: Tensor): Tensor {
    return this.logits(this.apply(tf.layers.globalAveragePooling2d({ name: 'avg_pool' } as LayerName), from));
  }

  logits(from: Tensor): Tensor {
    const units = this.#classes;
    return this.apply(tf.layers.dense({ ...this.#kernel(), units, name: 'predictions' }), from);
  }

  /** One logit for each class at each place. */
  logitMap(from: Tensor): Tensor {
    const shape = { filters: this.#classes, kernelSize: 1, name: 'predictions' };
    return this.apply(tf.layers.conv2d({ ...this.#kernel(), ...shape }), from);
  }

  #kernel(): { kernelInitializer: Kernel } {
    return { kernelInitializer: this.#next() };
  }
}

/** TensorFlow.js types this layer's arguments as those of a pooling along one axis. */
type LayerName = Parameters<typeof tf.layers.globalAveragePooling2d>[0];

export function imageOf(inputShape: readonly number[]): Tensor {
  checkWidths('inputShape', inputShape);
  if (inputShape.length !== 3)
    fail(`inputShape must be [height, width, channels], got [${inputShape.join(', ')}]`);
  return tf.input({ shape: [...inputShape], name: 'image' });
}

export const modelOf = (inputs: Tensor, outputs: Tensor, name: string): tf.LayersModel =>
  tf.model({ inputs, outputs, name });
