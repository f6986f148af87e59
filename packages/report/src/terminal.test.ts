import type { RunEvent } from '@espalier/trainer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyRecord } from '../test/arbitrary.ts';
import { end, epochs, noises, pruning, searched, start, whole } from '../test/small.ts';
import { renderTerminal } from './terminal.ts';
import { terminalTable } from './terminal-table.ts';

describe('terminalTable', () => {
  const columns = [{ name: 'layer' }, { name: 'params', numeric: true }];

  it('aligns numbers to the right, under a rule, without borders', () => {
    const rows = [
      ['conv', 1234],
      ['a dense one', null],
    ];
    expect(terminalTable({ columns, rows, color: false })).toBe(
      ['layer        params', '───────────  ──────', 'conv          1,234', 'a dense one       –'].join('\n'),
    );
  });

  it('cuts text, never figures, to fit', () => {
    const table = terminalTable({ columns, rows: [['x'.repeat(200), 123456]], color: false, width: 40 });
    expect(Math.max(...table.split('\n').map((line) => line.length))).toBe(40);
    expect(table).toMatch(/x…\s+123,456$/);
  });

  it('does not let text steer the terminal', () => {
    expect(terminalTable({ columns, rows: [['\u001b[2Jgone\nnext', 1]], color: false })).toMatch(
      /^ \[2Jgone next /m,
    );
  });

  it('colours only when asked', () => {
    expect(terminalTable({ columns, rows: [], color: true })).toContain('\u001b[');
    expect(terminalTable({ columns, rows: [['a', 1]], color: false })).not.toContain('\u001b');
  });
});

describe('renderTerminal', () => {
  it('says what happened, what it bought and what went where', () => {
    const text = renderTerminal(whole, { color: false });
    expect(text).toMatch(
      /^Small\n158 of 320 units removed, 61% fewer parameters, 1\.9× faster, test accuracy\n98\.3% → 97\.9%\./,
    );
    expect(text).toMatch(/^Parameters +1,000 +390 +−61%$/m);
    expect(text).toMatch(/^hidden +neuron +300 +152 +148 +█{5}░{5}$/m);
    expect(text).toMatch(/^fine-tuned +test +97\.90% +0\.25$/m);
    expect(text).toMatch(/^hidden +320 → 152 +960 → 370 +640 → 304$/m);
    expect(text).toContain('* After epoch 2: output: frozen');
  });

  it('lists a search', () => {
    const text = renderTerminal(searched, { color: false, width: 100 });
    expect(text).toMatch(/^Search\nunits +groups +accuracy +of trainings +epochs +took +outcome\n/m);
    expect(text).toMatch(/^ +56 +hidden 46, other 10 +93\.40% +93\.6% 93\.2% +40 +8\.00 s +held, kept$/m);
    expect(text).toMatch(/^Units +64 +56 +−13%$/m);
    // of the last network alone
    expect(text).toMatch(/^Training, an epoch +– +2\.00 s +–$/m);
  });

  it('lists accuracy by noise and level, a column a stage', () => {
    const text = renderTerminal(noises, { color: false });
    expect(text).toMatch(/^Accuracy under noise\nnoise +level +unpruned +fine-tuned\n/m);
    expect(text).toMatch(/^gaussian +0\.1 +96\.00% +94\.00%$/m);
    expect(text).toMatch(/^shift +4 +60\.00% +50\.00%$/m);
  });

  it('leaves out what the record does not hold', () => {
    expect(renderTerminal([], { color: false })).toBe('Nothing has been measured yet.\n');
    expect(renderTerminal(epochs, { color: false })).not.toMatch(/^(Units|Accuracy|Layers)$/m);
    expect(renderTerminal([start], { color: false })).toContain('The record has no end');
    expect(renderTerminal([start, { ...end, stopped: 'bored' } as RunEvent])).toContain(
      'Stopped early: bored',
    );
    expect(renderTerminal([pruning], { color: false })).not.toContain('no end');
  });

  it('renders any record', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const text = renderTerminal(record, { color: false });
        expect(text).not.toMatch(/\b(undefined|NaN|Infinity)\b/);
        expect(text).not.toContain('\u001b');
      }),
    );
  });
});
