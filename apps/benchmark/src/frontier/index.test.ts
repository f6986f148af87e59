import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { renderPage } from '@espalier/report';
import { describe, expect, it } from 'vitest';
import { frontier, rowsOf } from './index.ts';
import { measure, type NetJob } from './measure.ts';
import { methods, nameOf } from './methods.ts';
import type { Point } from './size.ts';

const job = { net: 'letters', quick: true, engine: 'wasm', cache: '' } as const;

/** A net of 100 parameters. */
const point = (share: number, accuracy: number, validation: number): Point => ({
  ...{ share, accuracy, validation },
  params: 100 * share,
  macs: 50 * share,
  units: 10 * share,
});

const measured = (a: number, b: number) => ({
  points: {
    unpruned: [point(1, 96, 95)],
    'relevance-refit': [point(0.5, 90, a)],
    'angle-none': [point(0.5, 94, b)],
  },
  dataset: 'letters',
});
const alone = (kind: 'wide' | 'narrow', accuracy: number) => ({
  job: { ...job, kind, seed: 1 },
  measured: { points: { [kind]: [point(1, accuracy, 96)] }, dataset: 'letters' },
});

describe('frontier', () => {
  const done = [
    { job: { ...job, seed: 1 }, measured: measured(90, 80) },
    { job: { ...job, seed: 2 }, measured: measured(70, 76) },
    alone('wide', 96.5),
    alone('narrow', 96),
  ];
  const rows = rowsOf(done);
  const find = (name: string, metric = 'accuracy') =>
    rows.find((row) => row.case === name && row.metric === metric);

  it('calls that best at a size which is on validation data, whatever test data say', () => {
    expect(find('letters/50-percent/best')).toMatchObject({ value: 90, note: 'relevance-refit' });
    expect(find('letters/50-percent/angle-none')).toMatchObject({ value: 94, spread: 0 });
    expect(find('letters/50-percent/best', 'validation')?.value).toBe(80);
    expect(find('letters/50-percent/best', 'params')?.value).toBe(50);
    expect(find('letters/unpruned', 'macs')?.value).toBe(50);
  });

  it('holds the wide net against the narrow one, and at least 95', () => {
    expect(find('letters-wide/pruned')).toMatchObject({
      value: 96.5,
      reference: 96,
      target: 96,
      meets: true,
    });
    expect(find('letters-wide/from-scratch')).not.toHaveProperty('target');
    const worse = rowsOf([alone('wide', 94), alone('narrow', 93)]);
    expect(worse.find(({ target }) => target)).toMatchObject({ target: 95, meets: false });
  });

  it('shows every method in a line, and draws each measure', () => {
    const result = { name: 'frontier', environment: { seeds: 2 }, rows };
    const text = stripVTControlCharacters(frontier.terminal(result));
    expect(text).toMatch(/relevance, refit .*90\.0/);
    expect(text).toMatch(/best on validation data .*90\.0/);
    expect(text).toMatch(/180-135-90, pruned .*100 .*96\.50/);
    const page = renderPage(frontier.page(result));
    for (const axis of ['Parameters left', 'Multiply-adds left', 'Units left']) expect(page).toContain(axis);
  });

  it('measures every criterion with every compensation', { tags: ['slow'], timeout: 240_000 }, async () => {
    const cache = await mkdtemp(join(tmpdir(), 'espalier-frontier-'));
    try {
      const one: NetJob = { ...job, seed: 1, cache };
      const { points } = await measure(one);
      expect(Object.keys(points)).toEqual(['unpruned', ...methods.map(nameOf)]);
      const [whole] = points.unpruned!;
      for (const [name, sizes] of Object.entries(points)) {
        for (const { share, params } of sizes)
          expect(params, name).toBeLessThanOrEqual(share * whole!.params);
      }
      // from the cache
      expect((await measure(one)).points).toEqual(points);
    } finally {
      await rm(cache, { recursive: true });
    }
  });
});
