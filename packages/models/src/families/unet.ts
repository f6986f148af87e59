import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ImageFamilyArgs } from './images.ts';
import { imageOf, modelOf, Net } from './net.ts';

const FILTERS = [64, 128, 256, 512] as const;

/**
 * U-Net with padding, so that the map of logits is as large as the image; its sides must be multiples of 16. One class
 * more or less is one channel of the output.
 *
 * O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image segmentation", MICCAI 2015,
 * fig. 1.
 */
export function uNet({
  inputShape = [256, 256, 3],
  classes = 2,
  ...args
}: ImageFamilyArgs = {}): LayersModel {
  const net = new Net({ ...args, classes });
  const image = imageOf(inputShape);
  const twice = (from: SymbolicTensor, name: string, filters: number): SymbolicTensor => {
    const first = net.conv(from, `${name}_conv1`, filters, 3, { activation: 'relu' });
    return net.conv(first, `${name}_conv2`, filters, 3, { activation: 'relu' });
  };
  const skips: SymbolicTensor[] = [];
  let tensor = image;
  for (const [i, filters] of FILTERS.entries()) {
    const made = twice(tensor, `down${i + 1}`, filters);
    skips.push(made);
    tensor = net.maxPool(made, `down${i + 1}_pool`, 2, 2, 'valid');
  }
  tensor = twice(tensor, 'bottom', 1024);
  for (const [i, filters] of [...FILTERS.entries()].reverse()) {
    const raised = net.transposed(tensor, `up${i + 1}_raise`, filters);
    tensor = twice(net.concat(`up${i + 1}_concat`, skips[i]!, raised), `up${i + 1}`, filters);
  }
  return modelOf(image, net.logitMap(tensor), 'u_net');
}
