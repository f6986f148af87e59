import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useEngine } from '@espalier/engine';
import { lenet } from '@espalier/models';
import { renderPage } from '@espalier/report';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BenchmarkOptions, Result } from '../benchmark.ts';
import { loadDigits } from '../digits.ts';
import { li2018, rowsOf } from './index.ts';
import { caseOf, jobsFor } from './jobs.ts';
import { measure } from './measure.ts';
import { FRONTIER, FRONTIER_TARGET, levels, methods, NETWORK, nameOf, type Sizes } from './settings.ts';

const options: BenchmarkOptions = {
  ...{ quick: false, seeds: [1, 2, 3], workers: 2, out: 'out', engine: 'wasm', log: () => {} },
};

describe('the jobs', () => {
  it('are each criterion at each level, and the frontier, for each seed', () => {
    const { whole, others } = jobsFor(options);
    expect(whole.map(({ seed }) => seed)).toEqual([1, 2, 3]);
    const names = others.map(({ task, seed }) => `${caseOf(task)} ${seed}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(3 * (1 + Object.keys(levels).length * Object.keys(methods).length));
    expect(names).toContain('lenet5/80-percent/kmeans 3');
  });
});

describe('the frontier', () => {
  const paramsOf = ({ conv1, conv2, flatten, fc1 }: Sizes): number =>
    26 * conv1 + (25 * conv1 + 1) * conv2 + (flatten + 1) * fc1 + (fc1 + 1) * 10;

  it('goes from large to small, through the record', () => {
    const params = FRONTIER.map(({ sizes }) => paramsOf(sizes));
    expect(params).toEqual([...params].sort((a, b) => b - a));
    const record = FRONTIER.find(({ sizes }) => nameOf(sizes) === '5-10-76-16')!;
    expect(paramsOf(record.sizes)).toBe(2792);
    expect(paramsOf(record.sizes)).toBeLessThanOrEqual(FRONTIER_TARGET.params);
  });

  it('begins with the network of the paper', async () => {
    await useEngine('cpu');
    const model = lenet(NETWORK);
    expect(model.countParams()).toBe(431_080);
    model.dispose();
  });
});

const seed = (accuracy: number) => ({
  dataset: 'mnist',
  figures: {
    'lenet5/unpruned': { accuracy: 99.5, validation: 99.4, params: 431_080 },
    'lenet5/80-percent/kmeans': { accuracy, validation: 99, params: 86_000 },
    'lenet5/80-percent/kmeans/after-0': { accuracy: 31.25 },
    'lenet5/80-percent/random/refit': { accuracy: 77.5 },
    'frontier/5-10-76-16': { accuracy: 98.9, validation: 98.8, params: 2792 },
  },
});

describe('the report', () => {
  const resultOf = (...accuracies: number[]): Result => ({
    name: 'li-2018',
    environment: { dataset: 'mnist', seeds: accuracies.length, quick: accuracies.length === 1 },
    rows: rowsOf(accuracies.map(seed)),
  });

  it('holds the paper’s method and the record to their targets', () => {
    const { rows } = resultOf(99.0, 99.3);
    const judged = rows.filter(({ target }) => target !== undefined);
    expect(judged).toMatchObject([
      { case: 'lenet5/80-percent/kmeans', metric: 'accuracy', value: 99.15, target: 99.1, meets: true },
      { case: 'frontier/5-10-76-16', metric: 'accuracy', value: 98.9, target: 99, meets: false },
    ]);
    expect(rowsOf([]).length).toBe(0);
  });

  it('shows what was measured, in the terminal and on the page', () => {
    const result = resultOf(99.0, 99.3);
    for (const shown of [li2018.terminal(result), renderPage(li2018.page(result))]) {
      for (const figure of ['99.15 ±0.21', '31.25', '77.50', '5-10-76-16', '98.90'])
        expect(shown).toContain(figure);
      expect(shown).not.toContain('NaN');
    }
    expect(renderPage(li2018.page(result))).toContain('means of 2 trainings');
    expect(renderPage(li2018.page(resultOf(99)))).toContain('This is the quick form');
  });
});

describe('a job', () => {
  beforeAll(async () => {
    if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
  });

  it('sees parts of the digits that have nothing in common, and leaves nothing behind', {
    tags: ['slow'],
  }, async () => {
    const before = tf.memory().numTensors;
    const digits = await loadDigits(100);
    expect([digits.train, digits.validation, digits.test].map(({ x }) => x.shape[0])).toEqual([
      100, 100, 100,
    ]);
    digits.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('thins the network as told, and finds the next time what it knows', { tags: ['slow'] }, async () => {
    const cache = await mkdtemp(join(tmpdir(), 'espalier-li-'));
    try {
      const before = tf.memory().numTensors;
      const task = { kind: 'thinned', level: '80-percent', method: 'kmeans' } as const;
      const job = { task, seed: 1, quick: true, engine: 'wasm', cache } as const;
      const measured = await measure(job);
      const at = 'lenet5/80-percent/kmeans';
      expect(Object.keys(measured.figures).sort()).toEqual(
        [at, `${at}/after-0`, `${at}/after-1`, `${at}/after-2`, `${at}/refit`].sort(),
      );
      // 4 and 10 filters, and all 500 neurons
      expect(measured.figures[at]!.params).toBe(4 * 26 + 10 * 101 + 161 * 500 + 5010);
      expect(measured.figures[`${at}/refit`]!.accuracy).toBeGreaterThan(
        measured.figures[`${at}/after-0`]!.accuracy!,
      );
      expect(tf.memory().numTensors).toBe(before);
      expect(await measure(job)).toEqual(measured);
      // of the network that was kept
      const whole = await measure({ ...job, task: { kind: 'whole' } });
      expect(whole.figures['lenet5/unpruned']).toMatchObject({ params: 431_080 });
    } finally {
      await rm(cache, { recursive: true });
    }
  });

  it('goes down the frontier step by step', { tags: ['slow'] }, async () => {
    const cache = await mkdtemp(join(tmpdir(), 'espalier-li-'));
    try {
      const before = tf.memory().numTensors;
      const { figures } = await measure({
        task: { kind: 'frontier' },
        seed: 1,
        quick: true,
        engine: 'wasm',
        cache,
      });
      expect(Object.keys(figures)).toEqual(FRONTIER.map(({ sizes }) => `frontier/${nameOf(sizes)}`));
      expect(figures['frontier/5-10-76-16']!.params).toBe(2792);
      expect(tf.memory().numTensors).toBe(before);
    } finally {
      await rm(cache, { recursive: true });
    }
  });
});
