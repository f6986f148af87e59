import type { RunEvent, RunRecord } from '@espalier/trainer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyRecord } from '../test/arbitrary.ts';
import { sampleRecord } from '../test/sample.ts';
import { end, epochs, evaluation, pruning, start, sweep, whole } from '../test/small.ts';
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
