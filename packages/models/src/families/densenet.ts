import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { checkWidths } from '../check.ts';
import { IMAGENET, type ImageFamilyArgs } from './images.ts';
import { imageOf, modelOf, Net } from './net.ts';

/** What {@link denseNet} takes. */
export interface DenseNetArgs extends ImageFamilyArgs {
  /** How many layers (of two convolutions each) every block has. Default [6, 12, 24, 16], DenseNet121. */
  readonly blocks?: readonly number[];
  /** How many channels each layer adds. Default 32. */
  readonly growth?: number;
}

/**
 * DenseNet: every layer of a block reads the outputs of all before it. Logits.
 *
 * G. Huang, Z. Liu, L. van der Maaten, K. Weinberger, "Densely connected convolutional networks", CVPR 2017, table 1.
 */
export function denseNet(given: DenseNetArgs = {}): LayersModel {
  const { inputShape = IMAGENET, blocks = [6, 12, 24, 16], growth = 32, ...args } = given;
  checkWidths('blocks', blocks);
  const net = new Net(args);
  const image = imageOf(inputShape);
  const plain = { useBias: false } as const;
  const lively = (from: SymbolicTensor, name: string) =>
    net.relu(net.norm(from, `${name}_bn`), `${name}_relu`);
  const first = lively(net.conv(image, 'conv1', 2 * growth, 7, { ...plain, strides: 2 }), 'conv1');
  let [tensor, channels] = [net.maxPool(first, 'pool1', 3, 2, 'same'), 2 * growth];
  for (const [i, layers] of blocks.entries()) {
    if (i > 0) {
      channels = Math.floor(channels / 2);
      const halved = net.conv(lively(tensor, `pool${i + 1}`), `pool${i + 1}_conv`, channels, 1, plain);
      tensor = net.averagePool(halved, `pool${i + 1}_pool`, 2, 2);
    }
    for (let layer = 1; layer <= layers; layer++) {
      const name = `conv${i + 2}_block${layer}`;
      const narrow = net.conv(lively(tensor, `${name}_0`), `${name}_1_conv`, 4 * growth, 1, plain);
      const made = net.conv(lively(narrow, `${name}_1`), `${name}_2_conv`, growth, 3, plain);
      tensor = net.concat(`${name}_concat`, tensor, made);
      channels += growth;
    }
  }
  return modelOf(image, net.pooledLogits(lively(tensor, 'last')), 'densenet');
}
