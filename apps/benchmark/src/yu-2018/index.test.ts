import { useEngine } from '@espalier/engine';
import { renderPage } from '@espalier/report';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchmarkOptions, Result } from '../benchmark.ts';
import { type Done, jobsFor, levelRows, yu2018 } from './index.ts';
import { loadData, networkFor, widths } from './networks.ts';
import { levels, type MethodName, nets } from './settings.ts';
import { type Curve, meanCurve, reaches, tune } from './tune.ts';

describe('a curve', () => {
  const curve: Curve = [
    [0, 10],
    [0.5, 80],
    [1, 78],
    [1.5, 90],
  ];

  it('reaches an accuracy when it is there for the first time', () => {
    expect([5, 80, 81, 90, 91].map((accuracy) => reaches(curve, accuracy))).toEqual([
      0,
      0.5,
      1.5,
      1.5,
      undefined,
    ]);
  });

  it('is averaged point by point', () => {
    expect(meanCurve([curve, curve.map(([epoch, value]) => [epoch, value + 2] as const)])).toEqual([
      [0, 11],
      [0.5, 81],
      [1, 79],
      [1.5, 91],
    ]);
  });
});

describe('the jobs', () => {
  const options: BenchmarkOptions = {
    ...{ quick: false, seeds: [1, 2, 3], workers: 2, out: 'out', engine: 'cpu', log: () => {} },
  };

  it('train each network with each seed, seed by seed', () => {
    const cases = jobsFor(options).map(({ net, seed }) => `${net} ${seed}`);
    expect(cases).toEqual(['mnist 1', 'letters 1', 'mnist 2', 'letters 2', 'mnist 3', 'letters 3']);
  });

  it('leave whole numbers of units, as many from scratch as after pruning', () => {
    for (const { fraction } of Object.values(levels))
      for (const units of [...widths.mnist, ...widths.letters]) {
        expect(Math.floor(fraction * units)).toBe(Math.floor(fraction * units + 1e-9));
      }
  });
});

const ends: Readonly<Record<MethodName, number>> = {
  nisp: 90,
  'nisp-at-once': 89,
  magnitude: 80,
  random: 95,
  'from-scratch': 70,
};

/** Two seeds of each method: from 50 in a straight line to where it ends, one point above and one below. */
const done: Done[] = [-1, 1].map((off): Done => {
  const small = (Object.keys(ends) as MethodName[]).map((method) => {
    const steps = method === 'from-scratch' ? 8 : 4;
    const curve = Array.from({ length: steps + 1 }, (_, step): Curve[number] => [
      step / 2,
      50 + off + ((ends[method] - 50) * step) / steps,
    ]);
    return { level: 'half' as const, method, curve, accuracy: ends[method] - 1, params: 100 };
  });
  return { net: 'mnist', whole: { curve: [[0, 99]], accuracy: 98, params: 900 }, small, dataset: 'mnist' };
});

describe('the rows', () => {
  const rows = levelRows('mnist', 'half', done);
  const find = (name: string, metric: string) =>
    rows.find((row) => row.case === `mnist/half/${name}` && row.metric === metric);

  it('hold each point of each curve, and where it ends', () => {
    expect(find('nisp/after-0.5', 'validation')).toMatchObject({ value: 60, spread: Math.SQRT2 });
    expect(find('nisp', 'validation')!.value).toBe(90);
    expect(find('nisp', 'accuracy')!.value).toBe(89);
    expect(rows.filter((row) => row.case.startsWith('mnist/half/from-scratch/after-'))).toHaveLength(9);
  });

  it('say how soon NISP is where others end, and whether that is sooner than they were', () => {
    expect(find('nisp-reaches-magnitude', 'epochs')).toMatchObject({ value: 1.5, target: 2, meets: true });
    expect(find('nisp-reaches-from-scratch', 'epochs')).toMatchObject({ value: 1, target: 4, meets: true });
    expect(find('nisp-reaches-random', 'epochs')).toMatchObject({
      ...{ value: 2, target: 2, meets: false, note: 'not within 2 epochs' },
    });
    expect(find('random-reaches-nisp', 'epochs')).toEqual({
      ...{ case: 'mnist/half/random-reaches-nisp', metric: 'epochs', value: 2 },
    });
  });

  const result = (quick: boolean): Result => ({
    name: 'yu-2018',
    environment: { datasets: 'mnist', seeds: 2, quick },
    rows,
  });

  it('are shown with the curves, and with what does not hold', () => {
    const page = renderPage(yu2018.page(result(false)));
    for (const shown of [page, yu2018.terminal(result(false))]) {
      expect(shown).toContain('90.00 ±1.41');
      expect(shown).toContain('never');
      expect(shown).toContain('in 2 of 3 cases. It is not in: mnist/half/nisp-reaches-random.');
    }
    expect(page).toContain('LeNet 10-20-50 on MNIST, half of each layer gone');
    expect(page).not.toContain('quick form');
    expect(renderPage(yu2018.page(result(true)))).toContain('This is the quick form');
  });
});

describe('a training', () => {
  beforeAll(async () => {
    if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
  });

  it('is measured as often as it should be, and leaves no tensors', async () => {
    const before = tf.memory().numTensors;
    const data = await loadData('letters', true);
    const { batchSize } = nets.letters;
    const args = { epochs: 4, rate: 1e-3, points: 2, batchSize, seed: 1 };
    const { curve, accuracy, params } = await tune(networkFor('letters', data, 1, [8]), data, args);
    expect(curve.map(([epoch]) => epoch)).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]);
    expect(curve.at(-1)![1]).toBeGreaterThan(curve[0]![1]);
    expect(accuracy).toBeGreaterThan(10);
    expect(params).toBe(17 * 8 + 9 * 26);
    data.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
