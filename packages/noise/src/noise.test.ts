import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addNoise, checkNoise, type Noise, type NoiseKind, noiseKinds, noisesOf, rangeOf } from './index.ts';

const mean = (values: Float32Array): number =>
  values.reduce((total, value) => total + value, 0) / values.length;
const deviation = (values: Float32Array): number =>
  Math.sqrt(mean(values.map((value) => value ** 2)) - mean(values) ** 2);
const share = (values: Float32Array, of: (value: number) => boolean): number =>
  values.filter(of).length / values.length;

/** From 0 to 1 in each column or channel. */
const unitRange = (features: number) => ({
  low: new Float32Array(features),
  high: new Float32Array(features).fill(1),
});
const unit = unitRange(1);
const noisy = (x: Float32Array, noise: Noise, inputShape: readonly number[], seed: number | string = 1) =>
  addNoise(x, { inputShape, range: unitRange(inputShape.at(-1)!), noises: [noise], seed });

/** All values one apart, so that each pixel is known again: 1/16 to 16/16. */
const image = Float32Array.from({ length: 16 }, (_, i) => (i + 1) / 16);
const rowsOf = (x: Float32Array, width: number): Float32Array[] =>
  Array.from({ length: x.length / width }, (_, row) => x.slice(row * width, (row + 1) * width));
const manyImages = Float32Array.from({ length: 16 * 400 }, (_, i) => image[i % 16]!);

describe('gaussian', () => {
  const grey = new Float32Array(100_000).fill(0.5);

  it('has a mean of 0 and the deviation of its level', () => {
    const x = noisy(grey, { kind: 'gaussian', level: 0.1 }, [10]);
    expect(mean(x)).toBeCloseTo(0.5, 2);
    expect(deviation(x)).toBeCloseTo(0.1, 2);
    expect(share(x, (value) => value < 0.4)).toBeCloseTo(0.1587, 2);
    expect(share(x, (value) => value > 0.7)).toBeCloseTo(0.0228, 2);
  });

  it('counts in ranges of each column and stays within them', () => {
    const range = { low: Float32Array.of(-1, 0), high: Float32Array.of(1, 20) };
    const x = Float32Array.from({ length: 100_000 }, (_, i) => (i % 2 === 0 ? 0 : 10));
    const args = { inputShape: [2], range, seed: 1 };
    const [few, many] = [0.1, 1].map((level) =>
      addNoise(x, { ...args, noises: [{ kind: 'gaussian', level }] }),
    );
    const column = (of: Float32Array, at: number) => of.filter((_, i) => i % 2 === at);
    expect(deviation(column(few!, 0))).toBeCloseTo(0.2, 2);
    expect(deviation(column(few!, 1))).toBeCloseTo(2, 1);
    for (const at of [0, 1]) {
      expect(Math.min(...column(many!, at))).toBe(range.low[at]);
      expect(Math.max(...column(many!, at))).toBe(range.high[at]);
    }
  });

  it('reaches the last value of rows of an odd width', () => {
    const x = noisy(new Float32Array(9).fill(0.5), { kind: 'gaussian', level: 0.1 }, [3]);
    expect(x.every((value) => value !== 0.5)).toBe(true);
  });
});

describe('saltpepper', () => {
  it('makes the share of its level extremes, half of them of each kind, and leaves the rest', () => {
    const x = noisy(new Float32Array(100_000).fill(0.5), { kind: 'saltpepper', level: 0.2 }, [10]);
    expect(share(x, (value) => value === 0)).toBeCloseTo(0.1, 2);
    expect(share(x, (value) => value === 1)).toBeCloseTo(0.1, 2);
    expect(share(x, (value) => value === 0.5)).toBeCloseTo(0.8, 2);
  });

  it('hits more at a higher level, and all that it hit before', () => {
    const grey = new Float32Array(1000).fill(0.5);
    const [few, many] = [0.1, 0.4].map((level) => noisy(grey, { kind: 'saltpepper', level }, [10]));
    for (const [i, value] of few!.entries()) if (value !== 0.5) expect(many![i]).toBe(value);
  });
});

describe('occlusion', () => {
  it('hides one square, wholly within the image, anywhere', () => {
    const places = new Set<number>();
    for (const row of rowsOf(noisy(manyImages, { kind: 'occlusion', level: 2 }, [4, 4, 1]), 16)) {
      const hidden = [...row.keys()].filter((i) => row[i] === 0);
      const [corner] = hidden as [number];
      expect(hidden).toEqual([corner, corner + 1, corner + 4, corner + 5]);
      expect(corner % 4).toBeLessThan(3);
      expect([...row].filter((value, i) => value !== 0 && value !== image[i])).toEqual([]);
      places.add(corner);
    }
    expect(places.size).toBe(9);
  });

  it('hides all channels by the least value of each', () => {
    const range = { low: Float32Array.of(-1, -2), high: Float32Array.of(1, 2) };
    const x = addNoise(new Float32Array(2 * 9), {
      ...{ inputShape: [3, 3, 2], range, noises: [{ kind: 'occlusion', level: 3 }], seed: 1 },
    });
    expect([...x]).toEqual(Array.from({ length: 9 }, () => [-1, -2]).flat());
  });
});

describe('shift', () => {
  it('moves the image by its level in each of eight directions, and the edge is empty', () => {
    const shown = (down: number, right: number): string =>
      Array.from({ length: 16 }, (_, i) => {
        const [y, x] = [Math.floor(i / 4) - down, (i % 4) - right];
        return y < 0 || y > 3 || x < 0 || x > 3 ? 0 : image[y * 4 + x];
      }).join();
    const steps = [-2, 0, 2];
    const expected = steps.flatMap((down) => steps.map((right) => shown(down, right)));
    const seen = new Set(
      rowsOf(noisy(manyImages, { kind: 'shift', level: 2 }, [4, 4, 1]), 16).map((row) => row.join()),
    );
    expect([...seen].sort()).toEqual(expected.filter((one) => one !== shown(0, 0)).sort());
  });

  it('keeps the channels of a pixel together', () => {
    const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const range = { low: Float32Array.of(0, 0), high: Float32Array.of(9, 9) };
    const moved = addNoise(x, {
      ...{ inputShape: [2, 2, 2], range, seed: 2 },
      noises: [{ kind: 'shift', level: 1 }],
    });
    const pairs = [
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
      [0, 0],
    ].map(String);
    for (let i = 0; i < 8; i += 2) expect(pairs).toContain(String([...moved.slice(i, i + 2)]));
  });
});

/** A level of each kind that changes nearly every image. */
const some: Readonly<Record<NoiseKind, number>> = { gaussian: 0.2, saltpepper: 0.5, occlusion: 2, shift: 1 };

describe.each(noiseKinds)('%s', (kind) => {
  const x = manyImages.slice(0, 16 * 20);
  const noise = { kind, level: some[kind] };

  it('is the same with the same seed, another with another, and leaves its input alone', () => {
    const before = x.slice();
    const first = noisy(x, noise, [4, 4, 1]);
    expect(noisy(x, noise, [4, 4, 1])).toEqual(first);
    expect(noisy(x, noise, [4, 4, 1], 2)).not.toEqual(first);
    expect(noisy(x, noise, [4, 4, 1], '1/3')).not.toEqual(first);
    expect(x).toEqual(before);
    expect(first).not.toEqual(before);
  });

  it('does the same to the first rows however many there are', () => {
    expect(noisy(x, noise, [4, 4, 1]).slice(0, 16 * 5)).toEqual(noisy(x.slice(0, 16 * 5), noise, [4, 4, 1]));
  });

  it('treats every row in its own way', () => {
    const rows = rowsOf(noisy(x, noise, [4, 4, 1]), 16).map((row) => row.join());
    expect(new Set(rows).size).toBeGreaterThan(4);
  });

  it('does nothing at level 0', () => {
    expect(noisy(x, { kind, level: 0 }, [4, 4, 1])).toEqual(x);
  });

  it('stays within the range', () => {
    const level = kind === 'gaussian' ? fc.double({ min: 0, max: 10, noNaN: true }) : fc.constant(some[kind]);
    fc.assert(
      fc.property(level, fc.integer(), (strength, seed) => {
        const values = noisy(x, { kind, level: strength }, [4, 4, 1], seed);
        expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
      }),
    );
  });
});

describe('several noises', () => {
  it('share the rows out by chance', () => {
    const noises: Noise[] = [
      { kind: 'occlusion', level: 4 },
      { kind: 'gaussian', level: 0 },
    ];
    const rows = rowsOf(addNoise(manyImages, { inputShape: [4, 4, 1], range: unit, noises, seed: 1 }), 16);
    const empty = rows.filter((row) => row.every((value) => value === 0)).length;
    const whole = rows.filter((row) => row.join() === image.join()).length;
    expect(empty + whole).toBe(400);
    expect(Math.abs(empty - 200)).toBeLessThan(40);
  });

  it('come from levels by kind', () => {
    expect(noisesOf({ shift: [1, 2], gaussian: [0.1] })).toEqual([
      { kind: 'shift', level: 1 },
      { kind: 'shift', level: 2 },
      { kind: 'gaussian', level: 0.1 },
    ]);
  });
});

describe('what makes no sense', () => {
  it.each<[string, Noise, readonly number[], string]>([
    [
      'a strange kind',
      { kind: 'constructor' as NoiseKind, level: 1 },
      [4],
      "unknown kind of noise 'constructor'. Use one of: gaussian, saltpepper, occlusion, shift",
    ],
    [
      'a negative deviation',
      { kind: 'gaussian', level: -1 },
      [4],
      "a level of gaussian is its standard deviation, as a share of the inputs' range: a number of 0 or more; got -1",
    ],
    ['a deviation that is no number', { kind: 'gaussian', level: Number.NaN }, [4], 'got NaN'],
    ['more than all inputs', { kind: 'saltpepper', level: 1.5 }, [4], 'a number from 0 to 1; got 1.5'],
    [
      'half a pixel',
      { kind: 'shift', level: 0.5 },
      [4, 4, 1],
      'a whole number of 0 or more, no longer than the image; got 0.5',
    ],
    [
      'a square larger than the image',
      { kind: 'occlusion', level: 5 },
      [4, 6, 1],
      'got 5 for images of 4 x 6',
    ],
    [
      'images of a table',
      { kind: 'occlusion', level: 1 },
      [16],
      'rows of shape [height, width, channels], and these are [16]: use gaussian or saltpepper',
    ],
  ])('%s is refused', (_, noise, shape, message) => {
    expect(() => checkNoise(noise, shape)).toThrow(`[noise] `);
    expect(() => checkNoise(noise, shape)).toThrow(message);
    const args = { inputShape: shape, range: unit, noises: [noise], seed: 1 };
    expect(() => addNoise(new Float32Array(0), args)).toThrow(message);
  });

  it('is no noise at all, and the range of nothing', () => {
    const args = { inputShape: [1], range: unit, noises: [], seed: 1 };
    expect(() => addNoise(new Float32Array(1), args)).toThrow('give one noise or more');
    expect(() => rangeOf(new Float32Array(0), [1])).toThrow('the range of no rows');
  });

  it('is of rows that are whole, and within their range', () => {
    const noises = [{ kind: 'gaussian', level: 0.1 }] as const;
    const left = '[noise] 5 values are no whole rows of shape [2,1], which have 2 each';
    expect(() => rangeOf(new Float32Array(5), [2, 1])).toThrow(left);
    const args = { range: unit, noises, seed: 1 };
    expect(() => addNoise(new Float32Array(5), { ...args, inputShape: [2, 1] })).toThrow(left);
    expect(() => addNoise(new Float32Array(6), { ...args, range: unitRange(2), inputShape: [1, 3] })).toThrow(
      '[noise] rows of shape [1,3] need a range of 3 least and greatest values, got 2 and 2: use rangeOf(x, [1,3])',
    );
  });
});

describe('the range', () => {
  it('is that of each column, or of each channel over all pixels', () => {
    const x = Float32Array.of(1, -5, 3, 7, 2, 0, 9, 1);
    expect(rangeOf(x, [2])).toEqual({ low: Float32Array.of(1, -5), high: Float32Array.of(9, 7) });
    expect(rangeOf(x, [2, 2, 1])).toEqual({ low: Float32Array.of(-5), high: Float32Array.of(9) });
  });
});
