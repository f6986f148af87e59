import * as tf from '@tensorflow/tfjs-layers';
import { IMAGENET, type ImageFamilyArgs } from './images.ts';
import { imageOf, modelOf, Net } from './net.ts';

/** Kernel size, times the channels inside the blocks of a stage, channels outside, blocks, strides of the first. */
const STAGES = [
  [3, 1, 16, 1, 1],
  [3, 6, 24, 2, 2],
  [5, 6, 40, 2, 2],
  [3, 6, 80, 3, 2],
  [5, 6, 112, 3, 1],
  [5, 6, 192, 4, 2],
  [3, 6, 320, 1, 1],
] as const;

/**
 * EfficientNetB0: inverted residual blocks with squeeze and excitation. Logits; without the dropout and the scaling of
 * the input that Keras has in it.
 *
 * M. Tan, Q. Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019, table 1.
 */
export function efficientNetB0({ inputShape = IMAGENET, ...args }: ImageFamilyArgs = {}): tf.LayersModel {
  const net = new Net(args);
  const image = imageOf(inputShape);
  const plain = { useBias: false } as const;
  const lively = (from: tf.SymbolicTensor, name: string) =>
    net.swish(net.norm(from, `${name}_bn`), `${name}_swish`);
  let [tensor, channels] = [lively(net.conv(image, 'stem', 32, 3, { ...plain, strides: 2 }), 'stem'), 32];
  for (const [stage, [size, times, filters, blocks, first]] of STAGES.entries()) {
    for (let block = 1; block <= blocks; block++) {
      const name = `stage${stage + 1}_block${block}`;
      const inner = times * channels;
      const wide =
        times === 1 ? tensor : lively(net.conv(tensor, `${name}_expand`, inner, 1, plain), `${name}_expand`);
      const deep = lively(net.depthwise(wide, `${name}_dw`, size, block === 1 ? first : 1), `${name}_dw`);
      const excited = excite(net, deep, name, inner, channels / 4);
      const narrow = net.norm(net.conv(excited, `${name}_project`, filters, 1, plain), `${name}_project_bn`);
      tensor = block === 1 ? narrow : net.add(`${name}_add`, tensor, narrow);
      channels = filters;
    }
  }
  return modelOf(
    image,
    net.pooledLogits(lively(net.conv(tensor, 'top', 1280, 1, plain), 'top')),
    'efficientnet_b0',
  );
}

/** J. Hu, L. Shen, G. Sun, "Squeeze-and-excitation networks", CVPR 2018, fig. 2. */
function excite(
  net: Net,
  from: tf.SymbolicTensor,
  name: string,
  channels: number,
  squeezed: number,
): tf.SymbolicTensor {
  const pooling = { name: `${name}_se_pool` } as Parameters<typeof tf.layers.globalAveragePooling2d>[0];
  const pooled = net.apply(tf.layers.globalAveragePooling2d(pooling), from);
  const targetShape = [1, 1, net.units(channels)];
  const single = net.apply(tf.layers.reshape({ targetShape, name: `${name}_se_reshape` }), pooled);
  const narrow = net.conv(single, `${name}_se_reduce`, squeezed, 1, { activation: 'swish' });
  const factors = net.conv(narrow, `${name}_se_expand`, channels, 1, { activation: 'sigmoid' });
  return net.apply(tf.layers.multiply({ name: `${name}_se_excite` }), from, factors);
}
