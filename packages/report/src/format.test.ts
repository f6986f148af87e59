import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatChange,
  formatCount,
  formatMilliseconds,
  formatPercent,
  formatPercents,
  formatPoints,
  formatRatio,
  formatSeconds,
  formatShape,
  formatShort,
} from './format.ts';

describe('formats', () => {
  it.each([
    [formatCount(48120), '48,120'],
    [formatCount(999_999), '999,999'],
    [formatCount(1_350_000), '1.35 M'],
    [formatCount(4_100_000_000), '4.10 G'],
    [formatShort(900), '900'],
    [formatShort(1700), '1.70 k'],
    [formatShort(999_600), '1.00 M'],
    [formatBytes(0), '0 B'],
    [formatBytes(812), '812 B'],
    [formatBytes(999_999), '1.00 MB'],
    [formatMilliseconds(0.0487), '48.7 µs'],
    [formatMilliseconds(0.4213), '0.421 ms'],
    [formatMilliseconds(0), '0.00 ms'],
    [formatMilliseconds(1234), '1.23 s'],
    [formatSeconds(86.2), '1 min 26 s'],
    [formatSeconds(59.7), '1 min 0 s'],
    [formatSeconds(7860), '2 h 11 min'],
    [formatPercent(0.979), '97.9%'],
    [formatPercent(0.9999), '99.9%'],
    [formatPercent(1), '100.0%'],
    [formatRatio(1.94), '1.9×'],
    [formatRatio(12.4), '12×'],
    [formatShape([null, 28, 28, 8]), '28×28×8'],
    [formatShape([null, null, 3]), '?×3'],
  ])('writes %s', (written, expected) => {
    expect(written).toBe(expected);
  });

  it('writes a change with its sign, and never 100% for what is not quite gone', () => {
    expect(formatChange(100, 39)).toBe('−61%');
    expect(formatChange(100, 104.2)).toBe('+4.2%');
    expect(formatChange(1e6, 1)).toBe('−>99%');
    expect(formatChange(5, 0)).toBe('−100%');
    expect(formatChange(1e6, 1e6 + 1)).toBe('+<0.1%');
    expect(formatChange(0, 0)).toBe('0%');
    expect(formatChange(0, 3)).toBe('–');
  });

  it('tells close accuracies apart', () => {
    expect(formatPercents(0.983, 0.979)).toEqual(['98.3%', '97.9%']);
    expect(formatPercents(0.9831, 0.9829)).toEqual(['98.31%', '98.29%']);
    expect(formatPoints(0.983, 0.979)).toBe('−0.40 pt');
    expect(formatPoints(0.9, 0.9)).toBe('±0.00 pt');
  });

  it('writes a dash for what is not a number', () => {
    const formats = [formatCount, formatShort, formatBytes, formatMilliseconds, formatSeconds, formatPercent];
    expect(formats.map((format) => format(Number.NaN))).toEqual(formats.map(() => '–'));
  });
});
