import { fail } from '../errors.ts';

/** The 16 features of a letter, in the order of UCI Letter Recognition. */
export const featureNames: readonly string[] = [
  'x-box',
  'y-box',
  'width',
  'high',
  'onpix',
  'x-bar',
  'y-bar',
  'x2bar',
  'y2bar',
  'xybar',
  'x2ybr',
  'xy2br',
  'x-ege',
  'xegvy',
  'y-ege',
  'yegvx',
];

/** Black and white: row by row from the top, 1 where there is ink. */
export interface Bitmap {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The smallest box around the ink; y counts from the bottom, as in the paper. */
const inkBox = ({
  pixels,
  width,
  height,
}: Bitmap): { left: number; right: number; low: number; high: number } => {
  const box = { left: width, right: -1, low: height, high: -1 };
  for (const [i, ink] of pixels.entries()) {
    if (ink === 0) continue;
    const [x, y] = [i % width, height - 1 - Math.floor(i / width)];
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.low = Math.min(box.low, y);
    box.high = Math.max(box.high, y);
  }
  if (box.right < 0) fail('a bitmap without ink has no features');
  return box;
};

/**
 * The 16 attributes of Frey & Slate (1991, section 2) before they are scaled. Moments are about the centre of
 * the box, in units of its width and height; an edge is an ink pixel whose neighbour to the left (x-ege) or
 * below (y-ege) is blank or outside.
 */
export const measure = (bitmap: Bitmap): number[] => {
  const { pixels, width, height } = bitmap;
  const { left, right, low, high } = inkBox(bitmap);
  const [boxWidth, boxHeight] = [right - left + 1, high - low + 1];
  const [midX, midY] = [(left + right) / 2, (low + high) / 2];
  const ink = (x: number, y: number): boolean =>
    x >= left && y >= low && pixels[(height - 1 - y) * width + x] === 1;

  let [on, x1, y1, x2, y2, xy, x2y, xy2] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [edgesX, edgesXAtY, edgesY, edgesYAtX] = [0, 0, 0, 0];
  for (let y = low; y <= high; y++) {
    for (let x = left; x <= right; x++) {
      if (!ink(x, y)) continue;
      const [u, v] = [(x - midX) / boxWidth, (y - midY) / boxHeight];
      on += 1;
      x1 += u;
      y1 += v;
      x2 += u * u;
      y2 += v * v;
      xy += u * v;
      x2y += u * u * v;
      xy2 += u * v * v;
      if (!ink(x - 1, y)) {
        edgesX += 1;
        edgesXAtY += v;
      }
      if (!ink(x, y - 1)) {
        edgesY += 1;
        edgesYAtX += u;
      }
    }
  }
  const moments = [x1, y1, x2, y2, xy, x2y, xy2].map((sum) => sum / on);
  const edges = [edgesX / boxHeight, edgesXAtY, edgesY / boxWidth, edgesYAtX];
  return [midX, midY, boxWidth, boxHeight, on, ...moments, ...edges];
};

/** The image as ink and paper: ink is what is at least half as bright as the brightest pixel. */
export const toBitmap = (image: Float32Array, width: number): Bitmap => {
  const half = image.reduce((most, pixel) => Math.max(most, pixel), 0) / 2;
  return {
    pixels: Uint8Array.from(image, (pixel) => (pixel >= half && pixel > 0 ? 1 : 0)),
    width,
    height: image.length / width,
  };
};

/** The range of each feature that becomes 0 to 15: where all but 1 in 200 of our own letters lie. */
const ranges: readonly (readonly [low: number, high: number])[] = [
  [8.5, 18.5],
  [10, 17.5],
  [3, 26],
  [15, 28],
  [26, 198],
  [-0.19, 0.19],
  [-0.165, 0.165],
  [0.03, 0.14],
  [0.048, 0.131],
  [-0.07, 0.07],
  [-0.018, 0.018],
  [-0.017, 0.017],
  [1, 2.75],
  [-2.4, 2.4],
  [1, 2.85],
  [-2.5, 2.5],
];

/**
 * The 16 features of a letter's image, row by row from the top: whole numbers from 0 to 15, as UCI Letter
 * Recognition has them. What is out of range becomes 0 or 15.
 */
export const glyphFeatures = (image: Float32Array, width: number): number[] =>
  measure(toBitmap(image, width)).map((value, i) => {
    const [low, high] = ranges[i]!;
    return Math.min(15, Math.max(0, Math.round((15 * (value - low)) / (high - low))));
  });
