import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  denseNet,
  efficientNetB0,
  inceptionV3,
  mobileNet,
  mobileNetV2,
  nasNetMobile,
  resNet50,
  resNet50V2,
  textCnn,
  uNet,
  vgg16,
} from './index.ts';

const zeros = { weights: 'zeros' } as const;
const small = { inputShape: [32, 32, 3], width: 1 / 16, classes: 4 };

beforeAll(() => tf.setBackend('cpu'));
let made: LayersModel | undefined;
afterEach(() => {
  made?.dispose();
  made = undefined;
});

describe('parameters', () => {
  it.each([
    ['resNet50', resNet50, 25_636_712],
    ['resNet50V2', resNet50V2, 25_613_800],
    ['mobileNet', mobileNet, 4_253_864],
    ['mobileNetV2', mobileNetV2, 3_538_984],
    ['denseNet', denseNet, 8_062_504],
    ['nasNetMobile', nasNetMobile, 5_326_716],
    // without the mean, variance and count of its layer that normalises the input
    ['efficientNetB0', efficientNetB0, 5_330_571 - 7],
    // with a scale for each of the 17,216 normalised channels
    ['inceptionV3', inceptionV3, 23_851_784 + 17_216],
  ] as const)('of %s are those of Keras', (_, family, params) => {
    made = family(zeros);
    expect(made.countParams()).toBe(params);
  });

  it('of vgg16 are those of Keras', () => {
    // each at a sixteenth of its width, as 138 million take half a gigabyte
    const [image, filters, hidden] = [3, [4, 4, 8, 8, 16, 16, 16, 32, 32, 32, 32, 32, 32], [256, 256]];
    const convs = filters.map((n, i) => 9 * n * (filters[i - 1] ?? image) + n);
    const dense = [...hidden, 1000].map((n, i) => n * ([49 * 32, ...hidden][i]! + 1));
    made = vgg16({ ...zeros, width: 1 / 16 });
    expect(made.countParams()).toBe([...convs, ...dense].reduce((sum, n) => sum + n, 0));
  });
});

describe('families', () => {
  it('give the same weights for a seed, and others for another', () => {
    const kernelOf = (seed: number) => {
      const model = mobileNet({ ...small, seed });
      const values = [...model.getLayer('conv_pw_3').getWeights()[0]!.dataSync()];
      model.dispose();
      return values;
    };
    expect(kernelOf(3)).toEqual(kernelOf(3));
    expect(kernelOf(3)).not.toEqual(kernelOf(4));
  });

  it('put out a logit for each class, U-Net at each place', () => {
    made = uNet(small);
    expect(made.outputs[0]!.shape).toEqual([null, 32, 32, 4]);
    const text = textCnn({ width: 1 / 16, classes: 3, vocabulary: 9, length: 7 });
    expect(text.outputs[0]!.shape).toEqual([null, 3]);
    text.dispose();
  });

  it.each([
    [{ width: 0 }, 'width must be above 0, got 0'],
    [{ classes: 0 }, 'classes must be a whole number of 1 or more, got 0'],
    [{ inputShape: [32, 32] }, 'inputShape must be [height, width, channels], got [32, 32]'],
    [{ weights: 'imagenet' as 'zeros' }, "unknown weights 'imagenet'. Use one of: random, zeros"],
  ])('refuse %j', (args, message) => {
    expect(() => resNet50(args)).toThrow(`[models] ${message}`);
  });
});
