import { useEngine } from '@espalier/engine';
import { renderPage } from '@espalier/report';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../benchmark.ts';
import { aghasi2017, rowsOf } from './index.ts';
import type { Measured } from './measure.ts';
import { networkFor } from './network.ts';
import { LEVELS, networks } from './paper.ts';
import { caseOf } from './tables.ts';

const [first] = networks;
const seed = (accuracy: number): Measured => ({
  dataset: 'mnist',
  figures: {
    'nn2-10k/unpruned': { accuracy: 95, zeros: 0, gzipped: 1000 },
    'nn2-10k/unpruned/tuned': { accuracy: 95.7, zeros: 0, gzipped: 1000 },
    [caseOf(first!, 75, 'nettrim', 'pruned')]: { accuracy: 94, zeros: 78, gzipped: 300, change: -1 },
    [caseOf(first!, 75, 'nettrim', 'tuned')]: { accuracy, zeros: 78, gzipped: 250, change: accuracy - 95 },
    [caseOf(first!, 75, 'cascade', 'pruned')]: { accuracy: 93.5, zeros: 81.5, gzipped: 290, change: -1.5 },
  },
});
const resultOf = (...accuracies: number[]): Result => ({
  name: 'aghasi-2017',
  environment: { dataset: 'mnist', seeds: accuracies.length, quick: false },
  rows: rowsOf(accuracies.map(seed)),
});

describe('the networks', () => {
  beforeAll(() => useEngine('cpu'));

  it.each([
    ['nn2-10k', 784 * 300 + 300 * 300 + 300 * 10 + 610],
    ['nn3-30k', 784 * 300 + 300 * 500 + 500 * 300 + 300 * 10 + 1110],
    ['nn3-60k', 784 * 300 + 300 * 1000 + 1000 * 300 + 300 * 10 + 1610],
    ['cnn-10k', 25 * 32 + 25 * 32 * 32 + 3200 * 512 + 512 * 10 + 586],
  ])('%s has %d parameters', (name, params) => {
    const network = networks.find((one) => one.name === name)!;
    const model = networkFor(network, { inputShape: [28, 28, 1], classes: 10 }, 1);
    expect(model.countParams()).toBe(params);
    model.dispose();
  });

  it('are trained on as many images as their names say, less those for validation', () => {
    expect(networks.map(({ rows }) => rows / 1000)).toEqual(
      networks.map(({ title }) => Number(/(\d+)K$/.exec(title)![1])),
    );
  });

  it('are pruned further from one epsilon and one level to the next', () => {
    for (const steps of [LEVELS, ...networks.map(({ epsilons }) => epsilons)])
      expect([...steps].sort((a, b) => a - b)).toEqual(steps);
  });
});

describe('the rows', () => {
  it('say whether fine-tuning made up for what was lost, on average', () => {
    const change = (...accuracies: number[]) =>
      resultOf(...accuracies).rows.find(
        ({ case: name, metric }) => name.endsWith('tuned') && metric === 'change',
      );
    expect(change(95.2, 95)).toMatchObject({ value: expect.closeTo(0.1, 5), target: 0, meets: true });
    expect(change(95.2, 94.2)).toMatchObject({ meets: false });
  });
});

describe('the tables', () => {
  it('show what was measured, and how much smaller it is', () => {
    const result = resultOf(95.2, 95.4);
    const page = renderPage(aghasi2017.page(result));
    expect(page).toContain('means of 2 trainings of each');
    for (const text of [page, aghasi2017.terminal(result)]) {
      for (const cell of [
        'NN2-10K',
        '95.30 ±0.14',
        '95.70 ±0.00',
        '78.0',
        '250',
        '4.0×',
        '81.5',
        '93.50 ±0.00',
      ])
        expect(text).toContain(cell);
      expect(text).not.toContain('CNN-60K');
      expect(text).not.toContain('NaN');
    }
  });
});
