import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ranking, rowsOf } from './index.ts';
import { measure } from './measure.ts';
import { spearman } from './spearman.ts';

describe('spearman', () => {
  it('is 1 for the same order, -1 for the opposite', () => {
    expect(spearman([1, 2, 30], [-5, 0, 1])).toBeCloseTo(1, 12);
    expect(spearman([1, 2, 30], [3, 2, 1])).toBeCloseTo(-1, 12);
  });

  it('is 1 - 6 sum(d^2) / (n^3 - n) where no numbers are equal', () => {
    // differences of ranks: 1, 1, 1, 1, 0
    expect(spearman([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])).toBeCloseTo(1 - (6 * 4) / 120, 12);
  });

  it('gives equal numbers the mean of their places', () => {
    // ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: covariance 4.5, variances 4.5 and 5
    expect(spearman([1, 7, 7, 9], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
    expect(spearman([1, Infinity, 0], [1, 5, 0])).toBeCloseTo(1, 12);
    expect(spearman([2, 2], [1, 3])).toBe(0);
  });
});

describe('ranking', () => {
  const net = { dataset: 'letters', units: 16, activation: 'tanh' } as const;
  const rows = rowsOf(net, [
    { correlations: { 'relevance-exact': 0.95, badness: -0.5 }, accuracy: 0.8 },
    { correlations: { 'relevance-exact': 0.91, badness: -0.7 }, accuracy: 0.9 },
  ]);

  it('holds exact relevance to its target, and no other criterion', () => {
    expect(rows).toEqual([
      {
        ...{ case: 'letters-16-tanh/relevance-exact', metric: 'spearman', target: 0.9, meets: true },
        value: expect.closeTo(0.93, 10),
        spread: expect.closeTo(0.0283, 4),
      },
      {
        ...{ case: 'letters-16-tanh/badness', metric: 'spearman' },
        value: expect.closeTo(-0.6, 10),
        spread: expect.closeTo(0.1414, 4),
      },
      expect.objectContaining({ case: 'letters-16-tanh/unpruned', metric: 'accuracy' }),
    ]);
  });

  it('shows a criterion in a line, of each dataset', () => {
    const text = stripVTControlCharacters(ranking.terminal({ name: 'ranking', environment: {}, rows }));
    expect(text).toMatch(/Criterion .*16 tanh/);
    expect(text).toMatch(/relevance, exact .*0\.93 ±0\.03/);
    expect(text).toMatch(/right on these rows .*85%/);
  });

  it('measures all criteria on one net', async () => {
    const job = {
      net: { ...net, dataset: 'glyphs', units: 6 },
      seed: 1,
      engine: 'wasm',
      quick: true,
    } as const;
    const { correlations, accuracy } = await measure(job);
    expect(correlations['relevance-exact']).toBeGreaterThan(0.99);
    expect(Object.keys(correlations).sort()).toEqual([
      'badness',
      'contribution',
      'contribution-variance',
      'random',
      'relevance',
      'relevance-exact',
      'relevance-exact-quarter',
      'relevance-first-order',
      'sensitivity',
      'sensitivity-outgoing',
      'step-angle',
    ]);
    for (const value of Object.values(correlations)) expect(Math.abs(value)).toBeLessThanOrEqual(1);
    expect(accuracy).toBeGreaterThan(0.2);
  });
});
