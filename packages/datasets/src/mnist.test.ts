import { describe, expect, it } from 'vitest';
import { mnist, readImages, shade } from './mnist.ts';

const dir = process.env.ESPALIER_DATA_DIR;
if (!dir) console.info('ESPALIER_DATA_DIR is not set: the tests on the real MNIST files are skipped');

const images = (rows: number, side = 28): Uint8Array =>
  Uint8Array.of(
    0,
    0,
    8,
    3,
    0,
    0,
    0,
    rows,
    0,
    0,
    0,
    side,
    0,
    0,
    0,
    side,
    ...new Array(rows * side * side).fill(51),
  );
const labels = (...of: number[]): Uint8Array => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, of.length, ...of);

/** Each image as text; comparing numbers one by one takes seconds. */
const rowsOf = (x: Float32Array): string[] =>
  Array.from({ length: x.length / 784 }, (_, row) =>
    Buffer.from(x.slice(row * 784, row * 784 + 784).buffer).toString('latin1'),
  );

describe('readImages', () => {
  it('refuses images and labels of different numbers', () => {
    expect(() => readImages(images(2), 'images', labels(1, 2, 3), 'labels')).toThrow(
      '[datasets] labels holds 3 labels, expected 2: one for each image of images',
    );
  });

  it('refuses other sizes of images and labels that are no digits', () => {
    expect(() => readImages(images(1, 20), 'images', labels(1), 'labels')).toThrow(
      'images holds images of 20 x 20, expected 28 x 28',
    );
    expect(() => readImages(images(2), 'images', labels(1, 10), 'labels')).toThrow(
      'labels has label 10 at 1, expected 0 to 9',
    );
  });

  it('gives the rows that it is asked for, in that order', () => {
    const shades = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
    const part = shade(
      readImages(images(3), 'images', labels(7, 8, 9), 'labels'),
      Int32Array.of(2, 0),
      shades,
    );
    expect([...part.labels]).toEqual([9, 7]);
    expect(part.x).toHaveLength(2 * 784);
    expect(part.x[783]).toBeCloseTo(0.2, 6);
  });
});

describe('mnist options', () => {
  it.each([
    [{ validation: 60_000 }, 'validation must leave some'],
    [{ validation: -1 }, 'validation must be a whole number of 0 or more, got -1'],
    [{ limit: 0 }, 'limit must be a whole number of 1 or more, got 0'],
    [{ seed: 1.5 }, 'seed must be a whole number'],
    [{ normalize: 'none' as 'unit' }, "unknown normalize 'none'. Use one of: unit, standard"],
  ])('%j is refused before any file is read', async (options, message) => {
    await expect(mnist({ ...options, dir: '/nowhere', download: false })).rejects.toThrow(message);
  });
});

describe.skipIf(!dir)('mnist, the real one', () => {
  it('has the official test part first to last, and every class everywhere', async () => {
    const data = await mnist();
    expect([data.train.rows, data.validation.rows, data.test.rows]).toEqual([55_000, 5000, 10_000]);
    expect([...data.test.labels.subarray(0, 8)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9]);
    expect(data.train.x).toHaveLength(55_000 * 784);
    expect(data.note).toBe('from ESPALIER_DATA_DIR');
    for (const { labels } of [data.train, data.validation, data.test]) expect(new Set(labels).size).toBe(10);
    const range = data.test.x.reduce(([low, high], v) => [Math.min(low!, v), Math.max(high!, v)], [9, -9]);
    expect(range).toEqual([0, 1]);
  });

  it('is standardized over the training images', async () => {
    const { train } = await mnist({ normalize: 'standard', validation: 0, limit: 6000 });
    const mean = train.x.reduce((sum, v) => sum + v, 0) / train.x.length;
    const variance = train.x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / train.x.length;
    expect(mean).toBeCloseTo(0, 1);
    expect(Math.sqrt(variance)).toBeCloseTo(1, 1);
  });

  it('splits alike for the same seed, with no training image in validation', async () => {
    const [a, b, c] = [
      await mnist({ limit: 50 }),
      await mnist({ limit: 100 }),
      await mnist({ limit: 50, seed: 2 }),
    ];
    expect(rowsOf(b.train.x).slice(0, 50)).toEqual(rowsOf(a.train.x));
    expect(b.validation.labels).toEqual(a.validation.labels);
    expect(c.train.labels).not.toEqual(a.train.labels);
    const seen = new Set(rowsOf(b.train.x));
    expect(rowsOf(b.validation.x).filter((row) => seen.has(row))).toEqual([]);
  });
});
