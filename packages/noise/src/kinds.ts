import type { InputRange } from './range.ts';

/** What can happen to a network's inputs. */
export type NoiseKind = 'gaussian' | 'saltpepper' | 'occlusion' | 'shift';

/** Noise of one kind. What its level counts depends on the kind; at level 0 there is none. */
export interface Noise {
  readonly kind: NoiseKind;
  readonly level: number;
}

/** One row, and what decides its noise. */
interface RowArgs {
  readonly level: number;
  readonly inputShape: readonly number[];
  readonly range: InputRange;
  /** Uniform from 0 to below 1. */
  readonly random: () => number;
}

interface Kind {
  /** What a level counts, for the axis of a chart. */
  readonly unit: string;
  /** What a level counts, and which there are. */
  readonly levels: string;
  isLevel(level: number): boolean;
  /** Whether rows must be images: [height, width, channels]. */
  readonly imagesOnly: boolean;
  /**
   * Changes a row in place. What is drawn does not depend on the level, so that one seed gives the same noise at each,
   * only stronger.
   */
  change(row: Float32Array, args: RowArgs): void;
}

const isPixels = (level: number): boolean => Number.isSafeInteger(level) && level >= 0;

/** The kinds by name. */
export const kinds: Readonly<Record<NoiseKind, Kind>> = {
  gaussian: {
    unit: 'deviation, of the range',
    levels: "its standard deviation, as a share of the inputs' range: a number of 0 or more",
    isLevel: (level) => Number.isFinite(level) && level >= 0,
    imagesOnly: false,
    change: addGaussian,
  },
  saltpepper: {
    unit: 'share of the inputs',
    levels: 'the share of the inputs that become the least or the greatest value: a number from 0 to 1',
    isLevel: (level) => level >= 0 && level <= 1,
    imagesOnly: false,
    change: scatterExtremes,
  },
  occlusion: {
    unit: 'side in pixels',
    levels: 'the side of a square in pixels: a whole number of 0 or more, no longer than the image',
    isLevel: isPixels,
    imagesOnly: true,
    change: hideSquare,
  },
  shift: {
    unit: 'pixels',
    levels: 'how many pixels the image moves: a whole number of 0 or more, no longer than the image',
    isLevel: isPixels,
    imagesOnly: true,
    change: move,
  },
};

/** Values stay within the range: a noisy image is one that could be. */
function addGaussian(row: Float32Array, { level, range: { low, high }, random }: RowArgs): void {
  const features = low.length;
  for (let i = 0; i < row.length; i += 2) {
    // Box, Muller 1958: two normal numbers of two uniform ones; 1 - u is never 0
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const turn = 2 * Math.PI * random();
    const normals = [radius * Math.cos(turn), radius * Math.sin(turn)];
    for (let at = i; at < Math.min(i + 2, row.length); at++) {
      const [least, greatest] = [low[at % features]!, high[at % features]!];
      const value = row[at]! + level * (greatest - least) * normals[at - i]!;
      row[at] = Math.min(greatest, Math.max(least, value));
    }
  }
}

/** Half of what is hit becomes the least value, half the greatest. */
function scatterExtremes(row: Float32Array, { level, range: { low, high }, random }: RowArgs): void {
  const features = low.length;
  for (let i = 0; i < row.length; i++) {
    const drawn = random();
    if (drawn < level / 2) row[i] = low[i % features]!;
    else if (drawn >= 1 - level / 2) row[i] = high[i % features]!;
  }
}

/** A square that lies wholly within the image takes the least value of each channel. */
function hideSquare(row: Float32Array, { level: side, inputShape, range: { low }, random }: RowArgs): void {
  const [height, width] = inputShape as [number, number];
  const top = Math.floor(random() * (height - side + 1));
  const left = Math.floor(random() * (width - side + 1));
  for (let y = top; y < top + side; y++) {
    for (let x = left; x < left + side; x++) row.set(low, (y * width + x) * low.length);
  }
}

/** Where a king may go, in steps of rows and columns. */
const directions = [-1, 0, 1].flatMap((down) =>
  [-1, 0, 1].flatMap((right) => (down === 0 && right === 0 ? [] : [[down, right] as const])),
);

/** The image moves in one of eight directions; what comes into view has the least value of each channel. */
function move(row: Float32Array, { level, inputShape, range: { low }, random }: RowArgs): void {
  const [height, width] = inputShape as [number, number];
  const channels = low.length;
  const direction = directions[Math.floor(random() * directions.length)]!;
  const [down, right] = [direction[0] * level, direction[1] * level];
  const before = row.slice();
  for (let i = 0; i < row.length; i++) row[i] = low[i % channels]!;
  const seen = (width - Math.abs(right)) * channels;
  for (let y = Math.max(0, down); y < height + Math.min(0, down); y++) {
    const from = ((y - down) * width + Math.max(0, -right)) * channels;
    row.set(before.subarray(from, from + seen), (y * width + Math.max(0, right)) * channels);
  }
}
