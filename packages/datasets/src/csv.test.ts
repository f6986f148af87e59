import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csv, parseTable } from './csv.ts';

const read = (text: string, options = {}): { x: number[]; labels: number[]; classes: readonly string[] } => {
  const { table, classes } = parseTable(text, 't.csv', options);
  return { x: [...table.x], labels: [...table.labels], classes };
};

const plain = { x: [1, 2, 3, 4, 5, 6, 7, 8], labels: [1, 0, 1, 0], classes: ['no', 'yes'] };

describe('parseTable', () => {
  it.each([
    ['a header', 'a,b,c\n1,2,yes\n3,4,no\n5,6,yes\n7,8,no\n', {}],
    ['no header', '1,2,yes\n3,4,no\n5,6,yes\n7,8,no', {}],
    ['the label by its name', 'k,a,b\nyes,1,2\nno,3,4\nyes,5,6\nno,7,8', { label: 'k' }],
    ['the label by its place', '1,yes,2\n3,no,4\n5,yes,6\n7,no,8', { label: 1 }],
    ['the place as text', '1,yes,2\n3,no,4\n5,yes,6\n7,no,8', { label: '1' }],
    [
      'BOM, CRLF, blank lines, spaces',
      '\uFEFFa,b,c\r\n1, 2,yes\r\n\r\n3,4,no \r\n5,6,yes\r\n7,8,no\r\n\r\n',
      {},
    ],
    ['quotes', '"a","b, or b","c"\n"1",2,"yes"\n3,"4","no"\n5,6,yes\n7,8,no', {}],
    ['another delimiter', '1;2;yes\n3;4;no\n5;6;yes\n7;8;no', { delimiter: ';' }],
    ['a header of numbers, if told', '2001,2002,2003\n1,2,yes\n3,4,no\n5,6,yes\n7,8,no', { header: true }],
  ])('reads %s', (_, text, options) => {
    expect(read(text, options)).toEqual(plain);
  });

  it('reads notations of numbers', () => {
    expect(read('1e3,a\n-2.5,b\n+.5,a\n0,b').x).toEqual([1000, -2.5, 0.5, 0]);
  });

  it('sorts classes by value where they are numbers', () => {
    expect(read('1,10\n1,9\n1,10\n1,9').classes).toEqual(['9', '10']);
  });

  it.each([
    ['1,2,a\n3,b\n', {}, 't.csv:2 has 2 columns, expected 3 as in line 1'],
    ['x,y,c\n1,2,a\n\n3,oops,b\n', {}, "t.csv:4, column 'y': 'oops' is not a number"],
    ['1,oops,a\n3,4,b\n', {}, "t.csv:1, column '1': 'oops' is not a number"],
    ['x,y,c\n1,,a\n', {}, "t.csv:2, column 'y': a missing value ('')"],
    ['x,y,c\n1,NA,a\n', {}, "t.csv:2, column 'y': a missing value ('NA'). Fill it in or remove the row"],
    ['x,y,c\n1,2,\n', {}, "t.csv:2, column 'c': a missing value"],
    ['x,y,c\n1,Infinity,a\n', {}, "'Infinity' is not a number"],
    [
      'x,c\n1,a\n',
      { label: 'species' },
      "t.csv has no column 'species'. Set label to one of: x, c; or 0 to 1",
    ],
    ['1,a\n', { label: 7 }, "t.csv has no column '7'"],
    ['x\n1\n', {}, "t.csv:1 has 1 column, expected features and a label. Set delimiter if it is not ','"],
    ['', {}, 't.csv holds no rows'],
    ['a,b,c\n', {}, 't.csv holds a header and no rows'],
    ['1,a\n2,a\n', {}, "1 different values in 2 rows of its label column '1'"],
    ['1,1.1\n2,1.2\n3,1.3', {}, 'which is no set of classes. Set label to the column of the classes'],
    ['1,"a\n2,b', {}, 't.csv is not well-formed: Quote Not Closed'],
  ])('says what is wrong with %j', (text, options, message) => {
    expect(() => read(text, options)).toThrow('[datasets] t.csv');
    expect(() => read(text, options)).toThrow(message);
  });

  it('reads any text or says what is wrong with it', () => {
    const cell = fc.oneof(fc.constantFrom('1', '2.5', 'a', '', '"', 'NA', '"q,"', '\n', '\r\n'), fc.string());
    const text = fc.array(cell, { maxLength: 30 }).map((cells) => cells.join(','));
    fc.assert(
      fc.property(text, (given) => {
        try {
          expect(read(given).x.every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect((error as Error).message).toMatch(/^\[datasets\] t\.csv/);
        }
      }),
    );
  });
});

describe('csv', () => {
  it('loads, splits and standardizes a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'espalier-csv-'));
    const path = join(folder, 'mine.csv');
    await writeFile(path, Array.from({ length: 40 }, (_, i) => `${i},${i * i},${i % 3}`).join('\n'));
    const data = await csv(path);
    await rm(folder, { recursive: true });
    expect(data).toMatchObject({ name: 'mine.csv', classes: ['0', '1', '2'], inputShape: [2] });
    expect([data.train.rows, data.validation.rows, data.test.rows]).toEqual([28, 6, 6]);
    expect([...data.train.x].filter((_, i) => i % 2 === 0).reduce((a, b) => a + b)).toBeCloseTo(0, 4);
  });

  it('says which file it cannot read', async () => {
    await expect(csv('/nowhere/t.csv')).rejects.toThrow('[datasets] cannot read /nowhere/t.csv: ENOENT');
  });
});
