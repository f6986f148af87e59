import { describe, expect, it } from 'vitest';
import { featureNames, glyphFeatures, measure } from './features.ts';

const bitmap = (...rows: string[]): Parameters<typeof measure>[0] => ({
  pixels: Uint8Array.from(rows.join(''), (cell) => (cell === '#' ? 1 : 0)),
  width: rows[0]!.length,
  height: rows.length,
});

const named = (values: readonly number[]): Record<string, number> =>
  Object.fromEntries(values.map((value, i) => [featureNames[i]!, value]));

describe('measure', () => {
  it('measures an L as Frey & Slate define the attributes', () => {
    // The box spans x 1..3 and y 0..3, from the bottom; its centre is (2, 1.5). Ink at (1, 0..3), (2, 0), (3, 0).
    const measured = named(measure(bitmap('.....', '.#...', '.#...', '.#...', '.###.')));
    const expected = {
      'x-box': 2,
      'y-box': 1.5,
      width: 3,
      high: 4,
      onpix: 6,
      // u = -1/3, -1/3, -1/3, -1/3, 0, 1/3
      'x-bar': -3 / 3 / 6,
      // v = 3/8, 1/8, -1/8, -3/8, -3/8, -3/8
      'y-bar': -6 / 8 / 6,
      x2bar: 5 / 9 / 6,
      y2bar: (4 * 9 + 2 * 1) / 64 / 6,
      // Only the four on the left and the one on the right count: -1/3 (3 + 1 - 1 - 3) / 8 + 1/3 (-3/8)
      xybar: -1 / 8 / 6,
      x2ybr: -3 / 8 / 9 / 6,
      xy2br: ((-1 / 3) * (20 / 64)) / 6 + ((1 / 3) * (9 / 64)) / 6,
      // One edge in each of the four rows; one in each of the three columns.
      'x-ege': 1,
      xegvy: 0,
      'y-ege': 1,
      yegvx: 0,
    };
    for (const [name, value] of Object.entries(expected))
      expect([name, measured[name]]).toEqual([name, expect.closeTo(value, 10)]);
  });

  it('counts every edge, and where it is', () => {
    // Rows from the bottom: "##.", "#.#"; two edges above, one below.
    const measured = named(measure(bitmap('#.#', '##.')));
    expect(measured['x-ege']).toBe(3 / 2);
    expect(measured.xegvy).toBeCloseTo((2 * 0.5) / 2 - 0.5 / 2, 10);
    // From the bottom up: columns "##", "#.", ".#" have one edge each.
    expect(measured['y-ege']).toBe(1);
    expect(measured.yegvx).toBeCloseTo(0, 10);
  });

  it('does not depend on where the letter is, but for its place', () => {
    const [a, b] = [measure(bitmap('##..', '#...', '....')), measure(bitmap('....', '..##', '..#.'))];
    expect(b.slice(2)).toEqual(a.slice(2));
    expect([b[0]! - a[0]!, b[1]! - a[1]!]).toEqual([2, -1]);
  });

  it('refuses a blank', () => {
    expect(() => measure(bitmap('...', '...'))).toThrow('[datasets] a bitmap without ink has no features');
  });
});

describe('glyphFeatures', () => {
  it('gives whole numbers from 0 to 15, also for what is out of range', () => {
    const dot = new Float32Array(784);
    dot[27] = 0.3;
    const features = glyphFeatures(dot, 28);
    expect(features).toHaveLength(16);
    for (const value of features)
      expect([value, Number.isInteger(value) && value >= 0 && value <= 15]).toEqual([value, true]);
    expect(named(features)).toMatchObject({ 'x-box': 15, 'y-box': 15, width: 0, high: 0, onpix: 0 });
  });
});
