import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useEngine } from '@espalier/engine';
import { renderPage } from '@espalier/report';
import type { RunRecord } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BenchmarkOptions, type Result, rowOf } from '../benchmark.ts';
import { cacheIn, keyOf } from '../cache.ts';
import { byRule, criteria, pruned, trainedFirst } from './deep.ts';
import { singh2018 } from './index.ts';
import { afterPaper, jobsFor, tasks } from './jobs.ts';
import { loadLetters } from './letters.ts';
import { HIDDEN, lefts, PAPER_COUNTS, singleRows, totalOf } from './paper.ts';

describe("the paper's rows", () => {
  it('are those of its table, at its epochs', () => {
    const rows = singleRows.filter(({ units }) => units === 50);
    expect(rows.map(({ name, recipe: { epochs }, paper, target }) => [name, epochs, paper, target])).toEqual([
      ['single/50/relu-rmsprop', 200, 91, 91.7],
      ['single/50/relu-sgd', 1000, 84.7, 92],
      ['single/50/sigmoid-rmsprop', 50, 89.72, 90.5],
      ['single/50/sigmoid-sgd', 1000, 71, undefined],
    ]);
    expect(singleRows.filter(({ units, paper }) => units === 64 && paper === undefined)).toHaveLength(4);
  });

  it('leave as many neurons as they say', () => {
    expect(totalOf(HIDDEN)).toBe(135);
    expect(PAPER_COUNTS.removed).toEqual({ fc1: 9, fc2: 1, fc3: 3 });
    expect(afterPaper).toEqual({ fc1: 51, fc2: 44, fc3: 27 });
    expect(lefts.map(({ units, target }) => [totalOf(units), target])).toEqual([
      [95, 93.2],
      [81, 92.8],
      [67, 91],
      [54, 88.5],
    ]);
  });
});

describe('the jobs', () => {
  const options: BenchmarkOptions = {
    ...{ quick: false, seeds: [1, 2, 3], workers: 2, out: 'out', engine: 'cpu', log: () => {} },
  };

  it('train each network with each seed, but search for the fewest units once', () => {
    const cases = jobsFor(options).map(({ task, seed }) => `${task.case} ${seed}`);
    expect(new Set(cases).size).toBe(cases.length);
    expect(cases).toHaveLength(3 * (tasks.length - 1) + 1);
    expect(cases.filter((name) => name.startsWith('single/restart'))).toEqual(['single/restart 1']);
  });

  it('prune by every criterion at every count, beside a network from scratch', () => {
    const cases = tasks.map((task) => task.case).filter((name) => name.startsWith('deep/54-left/'));
    expect(cases.sort()).toEqual(
      [
        ...Object.keys(criteria).flatMap((name) => [`deep/54-left/${name}`, `deep/54-left/short/${name}`]),
        'deep/54-left/from-scratch',
      ].sort(),
    );
  });
});

describe('what is kept', () => {
  it('is read as it was written, and is not there before', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'espalier-singh-'));
    try {
      const cache = cacheIn(join(folder, 'new'));
      expect(await cache.read('deep/54-left')).toBeUndefined();
      await cache.write('deep/54-left', { accuracy: 1 });
      expect(await cache.read('deep/54-left')).toEqual({ accuracy: 1 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('has another key for other settings', () => {
    expect(keyOf([{ rate: 1 }])).toBe(keyOf([{ rate: 1 }]));
    expect(keyOf([{ rate: 1 }])).not.toBe(keyOf([{ rate: 2 }]));
  });
});

describe('the report', () => {
  const record: RunRecord = [
    ...[1, 2].map((epoch) => ({
      ...{ type: 'epoch' as const, epoch, loss: 1 / epoch, valLoss: 2 / epoch },
      ...{ accuracy: 0.5, valAccuracy: 0.25, seconds: 1 },
    })),
    {
      ...{ type: 'evaluate', stage: 'trained', split: 'test', loss: 1, accuracy: 0.75 },
      confusion: [
        [3, 1],
        [0, 4],
      ],
    },
  ];
  const resultOf = (quick: boolean): Result => ({
    name: 'singh-2018',
    environment: { dataset: 'letters', seeds: 2, quick },
    rows: [
      rowOf('single/50/relu-rmsprop', 'accuracy', [93, 94], { reference: 91, target: 91.7 }),
      rowOf('single/restart', 'units', [52]),
      { case: 'single/restart/48-units', metric: 'validation', value: 92.05, note: 'falls behind' },
      rowOf('deep/paper-threshold', 'fc1', [57, 58]),
      rowOf('deep/54-left/sensitivity', 'accuracy', [90, 91]),
      rowOf('deep/54-left/short/sensitivity', 'accuracy', [80, 81]),
    ],
    records: new Map([['single/50/relu-rmsprop', record]]),
  });

  it('shows ours beside the paper’s, in the terminal and on the page', () => {
    for (const shown of [singh2018.terminal(resultOf(false)), renderPage(singh2018.page(resultOf(false)))]) {
      for (const figure of [
        '93.5 ±0.7',
        '84.7',
        '81.6',
        '52 units',
        '92.05',
        '57.5',
        '90.5 ±0.7',
        '80.5 ±0.7',
      ])
        expect(shown).toContain(figure);
    }
  });

  it('draws the curves and the confusion of the trainings that there are', () => {
    const page = renderPage(singh2018.page(resultOf(false)));
    expect(page).toContain('Loss: 50 units, ReLU, RMSProp, 200 epochs');
    expect(page).toContain('Confusion on test data, 75.0% right');
    expect(page).not.toContain('Loss: 60-45-30');
  });

  it('says when it is the quick form', () => {
    expect(renderPage(singh2018.page(resultOf(true)))).toContain('This is the quick form');
    expect(renderPage(singh2018.page(resultOf(false)))).not.toContain('quick form');
  });
});

describe('a training', () => {
  beforeAll(async () => {
    if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
  });

  it('sees parts of the data that have nothing in common, and leaves nothing behind', async () => {
    const before = tf.memory().numTensors;
    const letters = await loadLetters(true);
    const rows = [letters.train, letters.validation].map(({ x }) => x.shape[0]);
    expect(rows).toEqual([3500, 500]);
    expect(letters.classes).toBe(26);
    letters.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('leaves the units that it is told to leave, and no tensors', { tags: ['slow'] }, async () => {
    const letters = await loadLetters(true);
    const before = tf.memory().numTensors;
    const args = { seed: 1, quick: true };
    const { units } = lefts.at(-1)!;
    for (const criterion of ['sensitivity', 'relevance'] as const) {
      const model = await trainedFirst(letters, args);
      const { figures } = await pruned(letters, model, { ...args, units, criterion, length: 'long' });
      const { fc1, fc2, fc3 } = units;
      expect(figures.params).toBe(17 * fc1 + (fc1 + 1) * fc2 + (fc2 + 1) * fc3 + (fc3 + 1) * 26);
    }
    const { figures } = await byRule(letters, { ...args, budget: { count: PAPER_COUNTS.removed } });
    expect(figures).toMatchObject(afterPaper);
    expect(figures.accuracy).toBeGreaterThan(40);
    expect(tf.memory().numTensors).toBe(before);
    letters.dispose();
  });
});
