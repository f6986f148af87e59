import { useEngine } from '@espalier/engine';
import { lenet } from '@espalier/models';
import { renderPage } from '@espalier/report';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Result, rowOf } from '../benchmark.ts';
import { sui2018 } from './index.ts';
import { settingsKey } from './measure.ts';
import { nets, TRAINING } from './paper.ts';

const resultOf = (values: (of: number) => number[]): Result => ({
  name: 'sui-2018',
  environment: { dataset: 'mnist', seeds: values(0).length, quick: false },
  rows: nets.flatMap(({ name }) => [
    rowOf(`${name}/unpruned`, 'accuracy', values(98)),
    rowOf(`${name}/bounds-60-150/angle-add`, 'accuracy', values(95)),
    rowOf(`${name}/bounds-60-150/angle-add`, 'units', values(129)),
  ]),
});

describe('the tables of sui-2018', () => {
  it('show counts of one training as they are', () => {
    const one = resultOf((of) => [of]);
    const page = renderPage(sui2018.page(one));
    expect(page).toContain('one training of each');
    for (const shown of [page, sui2018.terminal(one)]) {
      expect(shown).toMatch(/\b129\b/);
      expect(shown).not.toContain('129.0');
      expect(shown).toContain('98.0%');
    }
  });

  it('show means of several with a decimal', () => {
    const three = resultOf((of) => [of, of + 1, of + 1]);
    const page = renderPage(sui2018.page(three));
    expect(page).toContain('means of 3 trainings of each');
    expect(page).toContain('129.7 ±0.6');
  });
});

describe('the key of a kept net', () => {
  beforeAll(() => useEngine('cpu'));
  const net = (seed = 1, filters = 20) => lenet({ conv: [10, filters], dense: [50], seed });

  it('is the same for nets that are trained alike', () => {
    expect(settingsKey(net(), TRAINING)).toBe(settingsKey(net(), { ...TRAINING }));
    expect(settingsKey(net(), TRAINING)).toMatch(/^[0-9a-f]{10}$/);
  });

  it('is another for other settings or layers', () => {
    const keys = [
      settingsKey(net(), TRAINING),
      settingsKey(net(2), TRAINING),
      settingsKey(net(1, 40), TRAINING),
      ...Object.keys(TRAINING).map((name) => settingsKey(net(), { ...TRAINING, [name]: 'another' })),
      settingsKey(net(), { ...TRAINING, rows: 6000 }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
