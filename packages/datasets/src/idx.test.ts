import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIdx } from './idx.ts';

const idx = (shape: readonly number[], data: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  bytes.set([0, 0, 8, shape.length]);
  for (const [axis, side] of shape.entries()) new DataView(bytes.buffer).setUint32(4 + 4 * axis, side);
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
};

describe('parseIdx', () => {
  it('reads shape and bytes', () => {
    const { shape, data } = parseIdx(idx([2, 1, 3], [1, 2, 3, 4, 5, 255]), 3, 'a.idx');
    expect(shape).toEqual([2, 1, 3]);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 255]);
  });

  it('reads out of the middle of a larger buffer', () => {
    const whole = Uint8Array.of(9, 9, 9, ...idx([2], [7, 8]));
    expect([...parseIdx(whole.subarray(3), 1, 'a.idx').data]).toEqual([7, 8]);
  });

  it.each([
    ['another magic', idx([2], [1, 2]), 3, 'a.idx is cut short: its header takes 16 bytes, found 10'],
    [
      'labels for images',
      idx([2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
      3,
      'expected magic 0x00000803, found 0x00000801',
    ],
    ['missing bytes', idx([2, 2], [1, 2, 3]), 2, 'expected 4 bytes of data (2 x 2), found 3'],
    ['bytes too many', idx([2], [1, 2, 3]), 1, 'expected 2 bytes of data (2), found 3'],
    ['nothing', new Uint8Array(0), 1, 'its header takes 8 bytes, found 0'],
  ])('refuses %s with what it expected and found', (_, bytes, axes, message) => {
    expect(() => parseIdx(bytes, axes, 'a.idx')).toThrow(`[datasets] a.idx`);
    expect(() => parseIdx(bytes, axes, 'a.idx')).toThrow(message);
  });

  it('reads a file again, or says what is wrong with it, wherever it is cut or changed', () => {
    const shape = fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 3 });
    const change = fc.record({
      cut: fc.nat({ max: 80 }),
      at: fc.nat({ max: 80 }),
      byte: fc.nat({ max: 255 }),
    });
    fc.assert(
      fc.property(shape, change, (sides, { cut, at, byte }) => {
        const size = sides.reduce((product, side) => product * side, 1);
        const whole = idx(sides, new Array(size).fill(5));
        const bytes = whole.slice(0, cut);
        if (at < Math.min(bytes.length, 4 + 4 * sides.length)) bytes[at] = byte;
        const same = bytes.length === whole.length && bytes.every((value, i) => value === whole[i]);
        if (same) expect(parseIdx(bytes, sides.length, 'a').data).toHaveLength(size);
        else {
          try {
            // A change can still make a right file, of another shape.
            const { shape: read, data } = parseIdx(bytes, sides.length, 'a');
            expect(read.reduce((product, side) => product * side, 1)).toBe(data.length);
          } catch (error) {
            expect((error as Error).message).toMatch(/^\[datasets\] a .*(expected|found)/);
          }
        }
      }),
    );
  });
});
