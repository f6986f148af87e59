import type { Windows } from './window.ts';

/** How many numbers a block of columns may hold: 2 MB, which stays in the cache between filling and use. */
const BLOCK = 2 ** 19;

/** Calls `visit` with consecutive runs of output rows (over the whole batch) whose columns fit one block. */
export function inBlocks(w: Windows, visit: (first: number, rows: number) => void): void {
  const total = w.batch * w.outHeight;
  const perRow = w.outWidth * w.height * w.width * w.inChannels;
  const most = Math.max(1, Math.floor(BLOCK / perRow));
  for (let first = 0; first < total; first += most) visit(first, Math.min(most, total - first));
}

/**
 * Lays out the input of each window, one line per weight and one column per output position:
 * `columns` has the shape [height * width * inChannels, rows * outWidth].
 */
export function fillColumns(
  x: Float32Array,
  columns: Float32Array,
  w: Windows,
  first: number,
  rows: number,
): void {
  const { inChannels: channels, inWidth, inHeight, outWidth, outHeight, strideWidth } = w;
  const length = rows * outWidth;
  const step = strideWidth * channels;
  for (let kh = 0; kh < w.height; kh++) {
    for (let kw = 0; kw < w.width; kw++) {
      const shift = kw - w.left;
      const begin = Math.min(outWidth, Math.max(0, Math.ceil(-shift / strideWidth)));
      const end = Math.max(begin, Math.min(outWidth, Math.ceil((inWidth - shift) / strideWidth)));
      const line = (kh * w.width + kw) * channels * length;
      for (let r = 0; r < rows; r++) {
        const image = Math.floor((first + r) / outHeight);
        const ih = ((first + r) % outHeight) * w.strideHeight - w.top + kh;
        const inside = ih >= 0 && ih < inHeight;
        const source = ((image * inHeight + ih) * inWidth + begin * strideWidth + shift) * channels;
        for (let c = 0; c < channels; c++) {
          const to = line + c * length + r * outWidth;
          if (!inside) {
            columns.fill(0, to, to + outWidth);
            continue;
          }
          for (let i = to; i < to + begin; i++) columns[i] = 0;
          for (let i = to + begin, from = source + c; i < to + end; i++, from += step) columns[i] = x[from]!;
          for (let i = to + end; i < to + outWidth; i++) columns[i] = 0;
        }
      }
    }
  }
}

/**
 * The way back: adds what each window says about its input. `columns` has one line per output position here,
 * [rows * outWidth, height * width * inChannels], so that neighbouring inputs are added in one run.
 */
export function addColumns(
  columns: Float32Array,
  dx: Float32Array,
  w: Windows,
  first: number,
  rows: number,
): void {
  const { inChannels: channels, inWidth, inHeight, outWidth, outHeight } = w;
  const span = w.width * channels;
  for (let r = 0; r < rows; r++) {
    const image = Math.floor((first + r) / outHeight);
    const top = ((first + r) % outHeight) * w.strideHeight - w.top;
    for (let kh = Math.max(0, -top); kh < w.height && top + kh < inHeight; kh++) {
      const row = (image * inHeight + top + kh) * inWidth;
      for (let ow = 0; ow < outWidth; ow++) {
        const left = ow * w.strideWidth - w.left;
        const skip = Math.max(0, -left);
        const keep = Math.min(w.width, inWidth - left);
        const from = ((r * outWidth + ow) * w.height + kh) * span;
        const to = (row + left) * channels;
        for (let i = skip * channels; i < keep * channels; i++) dx[to + i]! += columns[from + i]!;
      }
    }
  }
}
