import type { StartEvent } from '@espalier/trainer';
import { describe, expect, it } from 'vitest';
import { sampleRecord } from '../test/sample.ts';
import { attempts, searched } from '../test/small.ts';
import { parseRecord } from './parse.ts';

const jsonl = (events: readonly unknown[]): string => events.map((event) => JSON.stringify(event)).join('\n');
const epoch = { type: 'epoch', epoch: 1, loss: 0.5, seconds: 2 };

describe('parseRecord', () => {
  it('reads back what the trainer writes, line endings and empty lines aside', () => {
    const record = sampleRecord();
    expect(parseRecord(`${jsonl(record).replaceAll('\n', '\r\n')}\r\n\r\n`)).toEqual(record);
    expect(parseRecord('')).toEqual([]);
  });

  it('reads a search', () => {
    expect(parseRecord(jsonl(searched))).toEqual(searched);
    expect(() => parseRecord(jsonl([{ ...attempts[0], accuracy: 93 }]))).toThrow('accuracy');
  });

  it('reads the null that JSON makes of a diverged loss', () => {
    expect(parseRecord(JSON.stringify({ ...epoch, loss: Number.NaN }))).toEqual([
      { ...epoch, loss: Number.NaN },
    ]);
  });

  it('names the line and the field that are wrong', () => {
    const start = sampleRecord()[0] as StartEvent;
    const broken = { ...start, layers: [start.layers[0], { ...start.layers[1], params: -1 }] };
    expect(() => parseRecord(jsonl([epoch, broken]))).toThrow(/^\[report\] line 2: layers\[1\]\.params: /);
    expect(() => parseRecord(jsonl([epoch, { ...epoch, loss: 'low' }]))).toThrow(
      '[report] line 2: loss: expected a number, or null where training diverged',
    );
    expect(() => parseRecord(jsonl([{ ...epoch, seconds: undefined }]))).toThrow(
      /^\[report\] line 1: seconds: /,
    );
    expect(() => parseRecord(jsonl([{ type: 'prone' }]))).toThrow(/^\[report\] line 1: type: /);
    expect(() => parseRecord(`${jsonl([epoch])}\n\n{"type":`)).toThrow(/^\[report\] line 3: not JSON: /);
    expect(() => parseRecord('7')).toThrow(/^\[report\] line 1: /);
  });
});
