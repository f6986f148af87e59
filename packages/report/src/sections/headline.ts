import { escapeHtml } from '../escape.ts';
import { bar, type Markup } from '../html.ts';
import type { Section } from '../page.ts';
import type { Summary } from '../summary.ts';
import { type CostRow, costRows } from './cost.ts';

/** The numbers that one looks for first, as tiles. */
export const tiles = (summary: Summary): Markup => {
  const rows = costRows(summary);
  const find = (start: string): CostRow | undefined => rows.find(({ name }) => name.startsWith(start));
  const size = find('On disk') ?? find('Weights');
  const picked = [
    find('Accuracy'),
    find('Units'),
    find('Parameters'),
    find('Multiply'),
    size,
    find('Forward'),
  ];
  const pruned = summary.isReduced;
  const html = picked.map((row) => (row === undefined ? '' : tile(row, pruned))).join('');
  return { html: html && `<dl class="tiles">${html}</dl>` };
};

const tile = ({ name, before, after, change, kept }: CostRow, pruned: boolean): string => {
  const from = pruned && before !== undefined && after !== undefined ? [`from ${before}`, change ?? ''] : [];
  const left = !pruned || kept === undefined || kept > 1 ? '' : bar(1, kept, 1).html;
  const lines = from.map((line) => `<span>${escapeHtml(line)}</span>`).join('');
  const value = escapeHtml(after ?? before ?? '');
  // The batch and the split are in the table below.
  return `<div class="tile"><dt>${escapeHtml(name.split(',')[0]!)}</dt><dd class="value">${value}</dd><dd class="from">${lines}</dd>${left && `<dd>${left}</dd>`}</div>`;
};

/** Everything that changed, before and after. */
export const costSection = (summary: Summary): Section[] => {
  const rows = costRows(summary);
  if (rows.length === 0) return [];
  const pruned = summary.isReduced;
  const columns = pruned
    ? [
        { name: 'Measure' },
        { name: 'Before', numeric: true },
        { name: 'After', numeric: true, strong: true },
        { name: 'Change', numeric: true },
        { name: 'Kept', extra: true },
      ]
    : [{ name: 'Measure' }, { name: 'Model', numeric: true, strong: true }];
  return [
    {
      heading: pruned ? 'What it bought' : 'What it costs',
      table: {
        caption: pruned ? 'The model of the full size and the one that is left' : 'The model as it is',
        columns,
        rows: rows.map(({ name, before, after, change, kept }) =>
          pruned
            ? [
                name,
                before ?? null,
                after ?? null,
                change ?? null,
                kept === undefined ? '' : bar(1, kept, Math.max(1, kept)),
              ]
            : [name, after ?? before ?? null],
        ),
      },
    },
  ];
};
