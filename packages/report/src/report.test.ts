import type { RunEvent, RunRecord } from '@espalier/trainer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyRecord } from '../test/arbitrary.ts';
import { sampleRecord } from '../test/sample.ts';
import {
  attempts,
  end,
  epochs,
  evaluation,
  noises,
  pruning,
  searched,
  start,
  sweep,
  trials,
  whole,
} from '../test/small.ts';
import { parseRecord } from './parse.ts';
import { renderHtml } from './report.ts';
import { environmentRows } from './sections/environment.ts';
import { summarize } from './summary.ts';

const headings = (record: RunRecord): string[] =>
  [...renderHtml(record).matchAll(/<h2 [^>]*>([^<]*)</g)].map(([, heading]) => heading!);

describe('renderHtml', () => {
  it.each<[string, RunEvent[], string[]]>([
    ['nothing', [], []],
    ['a start', [start], ['What it costs', 'Layers', 'Environment']],
    ['epochs', [...epochs], ['What it costs', 'Training', 'Environment']],
    ['a pruning', [pruning], ['What it bought', 'The pruning', 'Notes']],
    ['an evaluation', [evaluation('trained', 979, 10)], ['What it costs', 'Evaluations', 'Confusion']],
    ['a sweep', [...sweep], ['Accuracy by units removed']],
    ['noise', [...noises], ['Accuracy under noise']],
    ['a search', [...attempts], ['What it bought', 'The search for the smallest size']],
    ['layers tried without', [...trials], ['What it bought', 'Layers tried without']],
    ['an end', [end], ['What it costs', 'Layers', 'Environment']],
  ])('has the sections that %s calls for', (_, record, expected) => {
    expect(headings(record)).toEqual(expected);
  });

  it('has them all for a whole run', () => {
    expect(headings(whole)).toEqual([
      'What it bought',
      'Accuracy by units removed',
      'What went where',
      'The pruning',
      'Training',
      'Evaluations',
      'Confusion',
      'Notes',
      'Environment',
    ]);
  });

  it('draws a chart for each noise, and says where the last stage bears it worst', () => {
    const html = renderHtml(noises);
    expect([...html.matchAll(/<figcaption>([^<]*)</g)].map(([, title]) => title)).toEqual([
      'Gaussian',
      'Shift',
    ]);
    expect(html).toContain(
      'Line chart of accuracy against deviation, of the range. unpruned from 98.0% to 90.0%; fine-tuned from 97.0% to 86.0%.',
    );
    expect(html).toContain('Line chart of accuracy against pixels.');
    // 0.97 - 0.94 of 0.98 - 0.96
    expect(html).toContain(
      'Noise costs fine-tuned at most 1.50 times the points that it costs unpruned: 3.00 and 2.00, with gaussian of 0.1.',
    );
    expect(renderHtml(noises.slice(0, 2))).not.toContain('Noise costs');
    const hardened = noises.map((event) => {
      const points = event.points.map((point) => ({ ...point, accuracy: 0.9 + point.level / 100 }));
      return event.type === 'noise' && event.stage === 'fine-tuned' ? { ...event, points } : event;
    });
    expect(renderHtml(hardened)).toContain(
      'Noise costs fine-tuned nothing at any level that costs unpruned something.',
    );
  });

  it('shows what each layer lost, and one that came in', () => {
    const html = renderHtml(whole);
    expect(html).toContain('<span class="was">320 →</span> 152');
    expect(html).toContain('<span class="was">960 →</span> 370</span><small>97% of the saving</small>');
    expect(html).toContain('selection<small>Select, new</small>');
  });

  it('draws both confusion matrices with the classes’ names, and says what is mistaken most', () => {
    const html = renderHtml(whole);
    expect(html).toContain('Unpruned: 98.3% right on test data');
    expect(html).toContain('Fine-tuned: 97.9% right on test data');
    expect(html).toContain('Most often mistaken when fine-tuned: no as yes (21 times).');
  });

  it('marks the prunings in the curves, and draws each epoch', () => {
    const html = renderHtml(whole);
    expect(html).toContain('−158 units</text>');
    // Loss and accuracy, training and validation, wide and narrow.
    expect([...html.matchAll(/<title>(training|validation), epoch \d/g)]).toHaveLength(3 * 2 * 2 * 2);
  });

  it('shows a search: what it takes to hold, each size, and which was kept', () => {
    const html = renderHtml(searched);
    expect(html).toContain('at least 93.00% on validation data, where the full size comes to 93.50%');
    // accuracy and the line that it must reach, wide and narrow
    expect([...html.matchAll(/<title>what it takes to hold, units (48|64): 93\.0%/g)]).toHaveLength(2 * 2);
    expect([...html.matchAll(/<title>mean and standard deviation, units \d+: /g)]).toHaveLength(3 * 2);
    expect(html).toContain('56 are enough</text>');
    const rows = [...html.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) => row!.replace(/<[^>]*>/g, '|'));
    const cells = (start: string): string[] =>
      rows
        .find((row) => row.startsWith(start) && row.includes('hidden'))!
        .split(/\|+/)
        .filter(Boolean);
    expect(cells('|64|')).toEqual([
      ...['64', 'hidden 54, other 10', '93.50%', '94.0% 93.0%', '40', '8.00 s', 'full size'],
    ]);
    expect(cells('|56|').at(-1)).toBe('held, kept');
    expect(cells('|48|').at(-1)).toBe('fell short');
    expect(html).toContain('Of the network that is left.');
  });

  it('shows a search of one size and a training each without a chart', () => {
    const single = { ...attempts[0]!, trials: attempts[0]!.trials.slice(1) };
    const html = renderHtml([single]);
    expect(html).toContain('full size, kept');
    expect(html).not.toMatch(/<svg[^>]*aria-label|Of trainings/);
  });

  it('shows the layers that were tried: what each costs, what goes along, and which are gone', () => {
    const html = renderHtml(trials);
    expect(html).toContain('The whole network comes to 98.00% on validation data.');
    const rows = [...html.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) => row!.replace(/<[^>]*>/g, '|'));
    const cells = rows.map((row) => row.split(/\|+/).filter(Boolean));
    expect(cells).toContainEqual(['second', '1', '97.50%', '−0.50 pt', '600', 'second_norm', 'gone']);
    expect(cells).toContainEqual(['first', '2', '80.00%', '−18.00 pt', '500', 'stays']);
    expect(html).toContain('2 layers removed, 40% fewer parameters.');
  });

  it('says when a run has no end, and why it ended early', () => {
    expect(renderHtml([start])).toContain('The record has no end');
    expect(renderHtml([start, { ...end, stopped: 'accuracy <floor>' } as RunEvent])).toContain(
      'Stopped early: accuracy &lt;floor&gt;',
    );
  });

  it.each<[string, RunEvent[]]>([
    ['Optimizer', [start, ...epochs, end]],
    ['Fine-tuning optimizer', [...whole]],
    ['Compiled with', [start, epochs[0]!, epochs[1]!, pruning, end]],
  ])('calls the optimizer no more than it is: %s', (label, record) => {
    const labels = environmentRows(summarize(record)).filter(([, value]) => value === 'sgd');
    expect(labels).toEqual([[label, 'sgd']]);
  });

  it('says what was trained with', () => {
    const noise = [
      { kind: 'gaussian', level: 0 },
      { kind: 'shift', level: 2 },
      { kind: 'gaussian', level: 0.25 },
    ] as const;
    const taught = { ...start, noise, teacher: 'the <unpruned> model' } as RunEvent;
    const parsed = parseRecord(JSON.stringify(taught));
    expect(environmentRows(summarize([...parsed, ...epochs]))).toEqual(
      expect.arrayContaining([
        ['Training noise', 'gaussian 0, 0.25; shift 2'],
        ['Training teacher', 'the <unpruned> model'],
      ]),
    );
    const tuned = environmentRows(summarize([taught, ...whole.slice(1)])).map(([name]) => name);
    expect(tuned).toEqual(expect.arrayContaining(['Fine-tuning noise', 'Fine-tuning teacher']));
    expect(renderHtml([taught])).toContain('the &lt;unpruned&gt; model');
    expect(renderHtml(whole)).not.toMatch(/tuning noise|tuning teacher/);
  });

  it('sums up many prunings', () => {
    const many = Array.from({ length: 40 }, (_, epoch) => ({ ...pruning, epoch }));
    expect(renderHtml(many)).toContain('<summary>All 40 prunings</summary>');
  });

  it('takes a title of one’s own', () => {
    expect(renderHtml(whole, { title: 'Mine & yours' })).toContain('<h1>Mine &amp; yours</h1>');
    expect(renderHtml(whole)).toContain('<h1>Small</h1>');
  });

  it('is the same every time and asks for nothing from outside', () => {
    const html = renderHtml(sampleRecord());
    expect(renderHtml(sampleRecord())).toBe(html);
    expect(html).not.toMatch(/<script|<link rel="stylesheet"|@import|url\((?!#)|src=/);
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toContain('http');
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('escapes every text of the record', () => {
    const evil = '<script>alert("x")</script>';
    const poison = (value: unknown, key = ''): unknown => {
      if (typeof value === 'string') return ['type', 'time', 'split'].includes(key) ? value : evil;
      if (Array.isArray(value)) return value.map((item) => poison(item));
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, poison(item, name)]));
    };
    const html = renderHtml(poison([...whole.slice(0, -1), { ...end, stopped: 'x' }]) as RunRecord);
    expect(html).not.toContain('<script');
    expect([...html.matchAll(/&lt;script&gt;/g)].length).toBeGreaterThan(20);
  });

  it('renders any record', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const html = renderHtml(record);
        expect(html).not.toMatch(/\b(undefined|NaN|Infinity)\b/);
        expect(html).not.toContain('<script');
      }),
      { numRuns: 30 },
    );
  });
});
