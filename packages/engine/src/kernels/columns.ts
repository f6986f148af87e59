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

/** How many numbers `fillColumns` needs for that many output rows: the columns, and room to work in. */
export function columnsSize(w: Windows, rows: number): number {
  const inputRows = Math.min(w.inHeight, (rows - 1) * w.strideHeight + w.height);
  return w.outWidth * w.inChannels * (w.height * w.width * rows + inputRows);
}

/**
 * Lays out the input of each window, one line per weight and one column per output position: the first part of
 * `columns` gets the shape [height * width * inChannels, rows * outWidth].
 *
 * The inputs that one column of weights meets are picked out once, channel by channel, into the rest of
 * `columns`; each line is then one or a few runs of them.
 */
export function fillColumns(
  x: Float32Array,
  columns: Float32Array,
  w: Windows,
  first: number,
  rows: number,
): void {
  const { inChannels: channels, inHeight, outWidth, outHeight, strideHeight } = w;
  const length = rows * outWidth;
  const picked = w.height * w.width * channels * length;
  for (let row = first, count = 0; row < first + rows; row += count) {
    const image = Math.floor(row / outHeight);
    count = Math.min(outHeight - (row % outHeight), first + rows - row);
    const top = (row % outHeight) * strideHeight - w.top;
    const begin = Math.max(0, top);
    const end = Math.min(inHeight, top + (count - 1) * strideHeight + w.height);
    const plane = (end - begin) * outWidth;
    for (let kw = 0; kw < w.width; kw++) {
      pick(x, columns, w, { kw, image, begin, end, picked });
      for (let kh = 0; kh < w.height; kh++) {
        const above = top + kh;
        const lo = clamp(Math.ceil(-above / strideHeight), 0, count);
        const hi = clamp(Math.ceil((inHeight - above) / strideHeight), lo, count);
        for (let c = 0; c < channels; c++) {
          const to = ((kh * w.width + kw) * channels + c) * length + (row - first) * outWidth;
          const from = picked + c * plane + (above - begin) * outWidth;
          columns.fill(0, to, to + lo * outWidth);
          if (strideHeight === 1) {
            move(columns, to + lo * outWidth, from + lo * outWidth, (hi - lo) * outWidth);
          } else {
            for (let i = lo; i < hi; i++)
              move(columns, to + i * outWidth, from + i * strideHeight * outWidth, outWidth);
          }
          columns.fill(0, to + hi * outWidth, to + count * outWidth);
        }
      }
    }
  }
}

/** Picks what the weights of column `kw` meet in some rows of an image: [inChannels, end - begin, outWidth]. */
function pick(
  x: Float32Array,
  columns: Float32Array,
  { inChannels: channels, inWidth, inHeight, outWidth, strideWidth, left }: Windows,
  {
    kw,
    image,
    begin,
    end,
    picked,
  }: { kw: number; image: number; begin: number; end: number; picked: number },
): void {
  const shift = kw - left;
  const lo = clamp(Math.ceil(-shift / strideWidth), 0, outWidth);
  const hi = clamp(Math.ceil((inWidth - shift) / strideWidth), lo, outWidth);
  const step = strideWidth * channels;
  let to = picked;
  for (let c = 0; c < channels; c++) {
    for (let ih = begin; ih < end; ih++, to += outWidth) {
      let from = ((image * inHeight + ih) * inWidth + lo * strideWidth + shift) * channels + c;
      for (let i = to; i < to + lo; i++) columns[i] = 0;
      for (let i = to + lo; i < to + hi; i++, from += step) columns[i] = x[from]!;
      for (let i = to + hi; i < to + outWidth; i++) columns[i] = 0;
    }
  }
}

function clamp(n: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, n));
}

/** Copies within an array; a short run costs less in a loop than in a call. */
function move(array: Float32Array, to: number, from: number, length: number): void {
  if (length < 32) for (let i = 0; i < length; i++) array[to + i] = array[from + i]!;
  else array.copyWithin(to, from, from + length);
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
