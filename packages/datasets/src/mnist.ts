import { digits } from './classes.ts';
import type { Dataset, Part } from './dataset.ts';
import { checkOneOf, checkWhole, fail } from './errors.ts';
import { parseIdx } from './idx.ts';
import { inOrder, randomFrom, shuffled } from './random.ts';
import { type DataFile, obtain, type SourceOptions } from './source.ts';

/** What {@link mnist} takes. */
export interface MnistOptions extends SourceOptions {
  /** Of the order of the training images, the last of which are the validation part. Default 1. */
  readonly seed?: number;
  /** How many of the 60,000 training images are for validation; 0 for none. Default 5,000. */
  readonly validation?: number;
  /** At most so many training rows. */
  readonly limit?: number;
  /** Pixels in [0, 1], or shifted and scaled to the mean 0.1307 and deviation 0.3081 of MNIST. Default 'unit'. */
  readonly normalize?: 'unit' | 'standard';
}

const mirrors = [
  'https://ossci-datasets.s3.amazonaws.com/mnist',
  'https://storage.googleapis.com/cvdf-datasets/mnist',
];

const file = (name: string, bytes: number, sha256: string): DataFile => ({
  path: `mnist/${name}`,
  urls: mirrors.map((mirror) => `${mirror}/${name}`),
  sha256,
  bytes,
});

const files = {
  trainImages: file(
    'train-images-idx3-ubyte.gz',
    47_040_016,
    'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  ),
  trainLabels: file(
    'train-labels-idx1-ubyte.gz',
    60_008,
    '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  ),
  testImages: file(
    't10k-images-idx3-ubyte.gz',
    7_840_016,
    '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  ),
  testLabels: file(
    't10k-labels-idx1-ubyte.gz',
    10_008,
    'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  ),
};

export const mnistFiles: readonly DataFile[] = Object.values(files);

const SIDE = 28;
/** The checksum holds the file to it. */
const TRAIN = 60_000;

/** Checked images and labels, not yet turned into numbers for a network. */
interface Images {
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
  readonly rows: number;
}

/** Reads a file of images and the file of their labels. */
export const readImages = (
  images: Uint8Array,
  imagesFile: string,
  labels: Uint8Array,
  labelsFile: string,
): Images => {
  const pixels = parseIdx(images, 3, imagesFile);
  const classes = parseIdx(labels, 1, labelsFile);
  const [rows, height, width] = pixels.shape as [number, number, number];
  if (height !== SIDE || width !== SIDE) {
    fail(`${imagesFile} holds images of ${height} x ${width}, expected ${SIDE} x ${SIDE}`);
  }
  if (classes.shape[0] !== rows) {
    fail(
      `${labelsFile} holds ${classes.shape[0]} labels, expected ${rows}: one for each image of ${imagesFile}`,
    );
  }
  const stranger = classes.data.findIndex((label) => label > 9);
  if (stranger >= 0)
    fail(`${labelsFile} has label ${classes.data[stranger]} at ${stranger}, expected 0 to 9`);
  return { pixels: pixels.data, labels: classes.data, rows };
};

/** The images whose numbers are in `order`, with each byte of a pixel replaced by its shade. */
export const shade = ({ pixels, labels }: Images, order: Int32Array, shades: Float32Array): Part => {
  const size = SIDE * SIDE;
  const x = new Float32Array(order.length * size);
  for (let row = 0; row < order.length; row++) {
    const from = order[row]! * size;
    for (let i = 0; i < size; i++) x[row * size + i] = shades[pixels[from + i]!]!;
  }
  return { x, labels: order.map((from) => labels[from]!), rows: order.length };
};

/**
 * MNIST: 60,000 and 10,000 images of handwritten digits, 28 x 28 x 1 (LeCun et al. 1998). `test` is the
 * official one.
 */
export const mnist = async (options: MnistOptions = {}): Promise<Dataset> => {
  const { seed = 1, validation = 5000, limit, normalize = 'unit' } = options;
  checkWhole('validation', validation, 0);
  if (validation >= TRAIN) fail(`validation must leave some of the 60,000 training rows, got ${validation}`);
  if (limit !== undefined) checkWhole('limit', limit, 1);
  checkOneOf('normalize', normalize, ['unit', 'standard']);
  const order = shuffled(TRAIN, randomFrom(seed));
  const kept = TRAIN - validation;
  const [mean, deviation] = normalize === 'standard' ? [0.1307, 0.3081] : [0, 1];
  const shades = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean) / deviation);

  const origins = new Set<string>();
  const load = async (images: DataFile, labels: DataFile): Promise<Images> => {
    const [x, y] = [await obtain('mnist', images, options), await obtain('mnist', labels, options)];
    origins.add(x.origin).add(y.origin);
    return readImages(x.contents, images.path, y.contents, labels.path);
  };
  const train = await load(files.trainImages, files.trainLabels);
  const test = await load(files.testImages, files.testLabels);
  return {
    name: 'mnist',
    task: 'classification',
    classes: digits,
    inputShape: [SIDE, SIDE, 1],
    train: shade(train, order.subarray(0, Math.min(kept, limit ?? kept)), shades),
    validation: shade(train, order.subarray(kept), shades),
    test: shade(test, inOrder(test.rows), shades),
    note: `from ${[...origins].join(' and ')}`,
  };
};
