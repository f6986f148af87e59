import * as tf from '@tensorflow/tfjs-layers';
import { IMAGENET, type ImageFamilyArgs } from './images.ts';
import { imageOf, modelOf, Net } from './net.ts';

/**
 * VGG16: 13 convolutions, Flatten, two hidden Dense layers. Logits.
 *
 * K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015, table 1 D.
 */
export function vgg16({ inputShape = IMAGENET, ...args }: ImageFamilyArgs = {}): tf.LayersModel {
  const net = new Net(args);
  const image = imageOf(inputShape);
  let tensor = image;
  for (const [i, [filters, convs]] of STAGES.entries()) {
    for (let conv = 1; conv <= convs; conv++) {
      tensor = net.conv(tensor, `block${i + 1}_conv${conv}`, filters, 3, { activation: 'relu' });
    }
    tensor = net.maxPool(tensor, `block${i + 1}_pool`, 2, 2, 'valid');
  }
  const flat = net.apply(tf.layers.flatten({ name: 'flatten' }), tensor);
  const hidden = net.dense(net.dense(flat, 'fc1', 4096), 'fc2', 4096);
  return modelOf(image, net.logits(hidden), 'vgg16');
}

const STAGES = [
  [64, 2],
  [128, 2],
  [256, 3],
  [512, 3],
  [512, 3],
] as const;
