import { renderPage } from '@espalier/report';
import type { NoiseCurve } from '@espalier/trainer';
import { describe, expect, it } from 'vitest';
import type { Result } from '../benchmark.ts';
import { methodNames, rowsOf } from './figures.ts';
import { noise } from './index.ts';
import type { Measured } from './measure.ts';
import { UNPRUNED } from './methods.ts';
import { cases, levels, treatmentNames } from './settings.ts';
import { casesIn, caseTable, verdict } from './tables.ts';

/** Accuracies in percent: without noise, and what each step of each kind takes away. */
const curvesOf = (clean: number, step: number): NoiseCurve[] =>
  Object.entries(levels.letters).map(([kind, values]) => ({
    noise: kind as NoiseCurve['noise'],
    points: [0, ...values].map((level, i) => ({ level, accuracy: (clean - i * step) / 100, loss: 1 })),
  }));

/** The whole net loses 2 points a step; angle-refit 3, from 1 point less; all others 4, from 10 points less. */
const seed = (shift: number): Measured => ({
  dataset: 'letters',
  cases: {
    letters: treatmentNames.flatMap((treatment) =>
      methodNames.map((method) => {
        const [clean, step] = method === UNPRUNED ? [95, 2] : method === 'angle-refit' ? [94, 3] : [85, 4];
        return { method, treatment, curves: curvesOf(clean + shift, step) };
      }),
    ),
  },
});

const result: Result = {
  name: 'noise',
  environment: { dataset: 'letters', seeds: 2, quick: false },
  rows: rowsOf([seed(-0.5), seed(0.5)]),
};
const row = (name: string, metric: string) =>
  result.rows.find((one) => one.case === `letters/${name}` && one.metric === metric);

describe('the rows', () => {
  it('hold what noise costs against what it costs the whole net', () => {
    expect(row('plain/unpruned', 'accuracy')).toMatchObject({ value: 95, spread: Math.SQRT1_2 });
    expect(row('plain/angle-refit/gaussian-0.02', 'accuracy')?.value).toBeCloseTo(91, 9);
    // 3 of 2, and 1 + 3 of 2
    expect(row('plain/angle-refit/gaussian-0.02', 'ratio')?.value).toBeCloseTo(1.5, 9);
    expect(row('plain/angle-refit/gaussian-0.02', 'total')?.value).toBeCloseTo(2, 9);
    expect(row('tuned/random-none', 'ratio')).toMatchObject({ target: 1.5, meets: false });
    // 10 + 4 of 2
    expect(row('tuned/random-none', 'total')?.value).toBeCloseTo(7, 9);
    expect(row('tuned/random-none', 'total')?.note).toBe('the worst: gaussian-0.02');
  });

  it('are of a case, a treatment, a method and a level', () => {
    expect(casesIn(result).map(({ name }) => name)).toEqual(['letters']);
    const names = new Set(result.rows.map((one) => one.case));
    expect(names.size).toBe(3 * methodNames.length * (1 + 6));
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]+\/[a-z-]+\/[a-z-]+(\/[a-z]+-[0-9.]+)?$/);
  });
});

describe('the tables', () => {
  it('say who holds and who comes nearest', () => {
    const said = verdict(result, 'letters', 'tuned');
    expect(said).toContain('nearest comes Angle, refit, 2.00 (the worst: gaussian-0.02)');
    expect(said).toContain("By the whole net's accuracy: none;");
  });

  it('have a row for each method, in the terminal and on the page', () => {
    expect(caseTable(result, 'letters').rows).toHaveLength(methodNames.length);
    const page = renderPage(noise.page(result));
    for (const shown of [noise.terminal(result), page]) {
      expect(shown).toContain(cases.find(({ name }) => name === 'letters')!.title);
      expect(shown).toContain('Reconstruction, refit');
    }
    expect(page).toContain('Accuracy under noise: saltpepper');
    expect(page).toContain('means of 2 trainings of each');
  });
});
