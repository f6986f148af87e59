import { describe, expect, it } from 'vitest';
import { end, epochs, evaluation, pruning, searched, start, whole } from '../test/small.ts';
import { renderHtml } from './report.ts';
import { headline, summarize } from './summary.ts';
import { renderTerminal } from './terminal.ts';

const sentence = (record: Parameters<typeof summarize>[0]): string => headline(summarize(record));

describe('headline', () => {
  it('says what went and what it bought', () => {
    expect(sentence(whole)).toBe(
      '158 of 320 units removed, 61% fewer parameters, 1.9× faster, test accuracy 98.3% → 97.9%.',
    );
  });

  it('says what a search came to', () => {
    expect(sentence(searched)).toBe(
      '56 of 64 units are enough, 61% fewer parameters, 1.2× faster, test accuracy 93.5% → 93.4%.',
    );
  });

  it('says how many of the weights are zero, once single weights were pruned', () => {
    const sparse = {
      type: 'weights' as const,
      epoch: 3,
      pruner: 'nettrim',
      kernels: [
        { layer: 'fc1', weight: 'kernel', weights: 600, zeros: 480 },
        { layer: 'fc2', weight: 'kernel', weights: 400, zeros: 270 },
      ],
    };
    const record = [start, evaluation('unpruned', 983, 10), sparse, evaluation('pruned', 979, 10)];
    expect(sentence(record)).toBe(
      '75.0% of the weights zero, as fast as before, test accuracy 98.3% → 97.9%.',
    );
    const text = renderTerminal(record, { color: false });
    expect(text).toMatch(/Weights that are zero +.* 75\.?0?%/);
    expect(text).toMatch(/fc2 .*400 .*270 .*67\.5%/);
    expect(renderHtml(record)).toContain('What is zero in each layer');
  });

  it('says less when the record holds less', () => {
    expect(sentence([])).toBe('Nothing has been measured yet.');
    expect(sentence([start])).toBe('Nothing has been measured yet.');
    expect(sentence(epochs)).toBe('Trained for 3 epochs.');
    expect(sentence([pruning])).toBe('158 of 320 units removed, 61% fewer parameters.');
    expect(sentence([epochs[0]!, evaluation('trained', 979, 10)])).toBe(
      'Trained for 1 epoch, test accuracy 97.9%.',
    );
    expect(sentence([{ ...pruning, groups: [], after: pruning.before }])).toBe('No units removed.');
  });

  it('does not hide a loss of speed, nor make one up', () => {
    const timed = (before: number, after: number): string =>
      sentence([evaluation('a', 983, before), pruning, evaluation('b', 983, after)]);
    expect(timed(10, 15)).toContain('1.5× slower');
    expect(timed(10, 10.2)).toContain('as fast as before');
  });

  it('compares latencies of the same batch size only', () => {
    const single = { ...evaluation('b', 983, 1), latency: { milliseconds: 1, batch: 1 } };
    expect(sentence([evaluation('a', 983, 10), pruning, single])).not.toMatch(/fast/);
  });
});

describe('summarize', () => {
  it('counts each group once over several prunings', () => {
    const later = {
      ...pruning,
      epoch: 3,
      groups: [{ id: 'hidden', kind: 'neuron', before: 152, after: 100 }],
    };
    expect(summarize([pruning, later]).units).toEqual({ before: 320, after: 110 });
  });

  it('pairs the last evaluation before the first pruning with the last of all, on test data first', () => {
    const validation = { ...evaluation('late', 500, 10), split: 'validation' as const };
    const record = [
      evaluation('first', 100, 9),
      evaluation('second', 983, 9),
      pruning,
      evaluation('third', 979, 9),
      validation,
    ];
    const { before, after } = summarize(record).evaluated;
    expect([before?.stage, after?.stage]).toEqual(['second', 'third']);
  });

  it('takes validation data where test data was kept for the end', () => {
    const validation = (stage: string) => ({ ...evaluation(stage, 500, 10), split: 'validation' as const });
    const record = [validation('unpruned'), pruning, validation('done'), evaluation('done', 979, 9)];
    const { before, after } = summarize(record).evaluated;
    expect([before, after].map((event) => [event?.stage, event?.split])).toEqual([
      ['unpruned', 'validation'],
      ['done', 'validation'],
    ]);
    expect(summarize(record.slice(1)).evaluated.after?.split).toBe('test');
  });

  it('takes the cost from the prunings where start and end are missing', () => {
    const { cost } = summarize([pruning]);
    expect([cost.before?.params, cost.after?.params]).toEqual([1000, 390]);
    expect(summarize([end]).cost.before).toBeUndefined();
  });
});
