import * as tf from '@tensorflow/tfjs-layers';
import { checkWidths, fail } from './check.ts';
import { type Activation, addHead, checkHead, initializersFrom, kernelArgs } from './layers.ts';

/** What {@link lenet} takes. */
export interface LenetArgs {
  /** The filters of each 5x5 convolution. Default [10, 20]. */
  readonly conv?: readonly number[];
  /** The hidden dense layers. Default [50]. */
  readonly dense?: readonly number[];
  /** [height, width, channels]. Default [28, 28, 1]. */
  readonly inputShape?: readonly number[];
  /** Default 10. */
  readonly classes?: number;
  /** Of the convolutions and the hidden dense layers. Default 'relu'. */
  readonly activation?: Activation;
  /** After each hidden dense layer; unseeded. Default 0. */
  readonly dropout?: number;
  /**
   * Weight decay: this times the sum of the squared kernel weights is added to the loss, in which `fit` then includes it.
   * Default 0.
   */
  readonly l2?: number;
  /** Of the initial weights. Default 1. */
  readonly seed?: number;
}

const KERNEL = 5;
const POOL = 2;

/** Throws where an image becomes too small on its way; layers are named by their place. */
const checkImage = (inputShape: readonly number[], convs: number): void => {
  checkWidths('inputShape', inputShape);
  if (inputShape.length !== 3) {
    fail(`inputShape must be [height, width, channels], got [${inputShape.join(', ')}]`);
  }
  let side = Math.min(inputShape[0]!, inputShape[1]!);
  for (let i = 1; i <= convs; i++) {
    const pooled = Math.floor((side - KERNEL + 1) / POOL);
    if (pooled < 1) {
      const shape = inputShape.join('x');
      fail(
        `conv${i} gets an image of side ${side} and needs ${KERNEL + POOL - 1} or more: an input of ${shape} is ` +
          `too small for ${convs} convolutions of 5x5. Use a larger inputShape or fewer convolutions`,
      );
    }
    side = pooled;
  }
};

/**
 * LeNet as the PyTorch MNIST example and the angle-pruning paper have it: 5x5 convolution, 2x2 max pooling,
 * activation; as often as `conv` is long; then `flatten`, dense layers, softmax. Layers are called `conv1`,
 * `pool1`, `act1`, ..., `flatten`, `fc1`, `fc2`. Not compiled.
 */
export const lenet = ({
  conv = [10, 20],
  dense = [50],
  inputShape = [28, 28, 1],
  classes = 10,
  activation = 'relu',
  dropout = 0,
  l2 = 0,
  seed = 1,
}: LenetArgs = {}): tf.Sequential => {
  const head = { dense, classes, activation, dropout, l2 };
  checkWidths('conv', conv);
  if (conv.length === 0)
    fail('conv must name one convolution or more, got []. For dense layers alone use mlp');
  checkHead('dense', head);
  checkImage(inputShape, conv.length);

  const next = initializersFrom(seed);
  const model = tf.sequential();
  for (const [i, filters] of conv.entries()) {
    const first = i === 0 ? { inputShape: [...inputShape] } : {};
    model.add(
      tf.layers.conv2d({
        name: `conv${i + 1}`,
        filters,
        kernelSize: KERNEL,
        ...kernelArgs(next, l2),
        ...first,
      }),
    );
    model.add(tf.layers.maxPooling2d({ name: `pool${i + 1}`, poolSize: POOL }));
    model.add(tf.layers.activation({ name: `act${i + 1}`, activation }));
  }
  model.add(tf.layers.flatten({ name: 'flatten' }));
  addHead(model, head, next);
  return model;
};
