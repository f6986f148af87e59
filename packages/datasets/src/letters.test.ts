import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { letters, parseLetters } from './letters.ts';

const dir = process.env.ESPALIER_DATA_DIR;
if (!dir) console.info('ESPALIER_DATA_DIR is not set: the tests on the real letters are skipped');

const numbers = '2,8,3,5,1,8,13,0,6,6,10,8,0,8,0,8';

describe('parseLetters', () => {
  it('reads a letter and its features from each line, whatever ends the line', () => {
    const { x, labels, rows } = parseLetters(`T,${numbers}\r\nA,${numbers}\n\n`, 'f');
    expect(rows).toBe(2);
    expect([...labels]).toEqual([19, 0]);
    expect([...x.subarray(16)]).toEqual(numbers.split(',').map(Number));
  });

  it.each([
    [`T,${numbers}\nT,1,2`, 'f:2 has 3 columns, expected 17'],
    [`T,${numbers},4`, 'f:1 has 18 columns, expected 17'],
    [`T,${numbers}\n\n?,${numbers}`, "f:3 starts with '?', expected a letter from A to Z"],
    [`t,${numbers}`, "f:1 starts with 't', expected a letter from A to Z"],
    [`T,x${numbers}`, "f:1 has 'x2' in column 2, expected a whole number"],
    [`T,${numbers.replace('13', '')}`, "f:1 has '' in column 8, expected a whole number"],
    ['', 'f holds no rows'],
  ])('says file, line and fault of %j', (text, message) => {
    expect(() => parseLetters(text, 'f')).toThrow(`[datasets] ${message}`);
  });

  it('never gives a row that is not in the text', () => {
    const text = Array.from({ length: 5 }, (_, i) => `${'AZQMB'[i]},${numbers}`).join('\n');
    fc.assert(
      fc.property(fc.nat({ max: text.length - 1 }), fc.string({ maxLength: 3 }), (at, piece) => {
        const changed = text.slice(0, at) + piece + text.slice(at + 1);
        try {
          const { x, labels, rows } = parseLetters(changed, 'f');
          expect(rows).toBe(changed.split(/\r?\n/).filter(Boolean).length);
          expect(x).toHaveLength(16 * rows);
          expect(labels.every((label) => label >= 0 && label < 26)).toBe(true);
          expect(x.every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect((error as Error).message).toMatch(/^\[datasets\] f:[1-6] .*expected/);
        }
      }),
    );
  });
});

describe.skipIf(!dir)('letters, the real ones', () => {
  it('are 20,000 in the parts that the split says', async () => {
    const [a, b] = [await letters(), await letters({ split: '80:20' })];
    expect([a.train.rows, a.validation.rows, a.test.rows]).toEqual([14_000, 3000, 3000]);
    expect([b.train.rows, b.validation.rows, b.test.rows]).toEqual([16_000, 0, 4000]);
    expect(a.classes).toHaveLength(26);
    expect(new Set(a.train.labels).size).toBe(26);
  });

  it('are the same for the same seed', async () => {
    const [a, b, c] = [await letters({ seed: 7 }), await letters({ seed: 7 }), await letters({ seed: 8 })];
    expect(a.test.labels).toEqual(b.test.labels);
    expect(Buffer.compare(Buffer.from(a.train.x.buffer), Buffer.from(b.train.x.buffer))).toBe(0);
    expect(c.test.labels).not.toEqual(a.test.labels);
  });
});
