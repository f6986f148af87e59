import type { RunRecord } from '@espalier/trainer';
import picocolors from 'picocolors';
import { formatNumber, formatPercent, formatShape, formatShort } from './format.ts';
import { costRows } from './sections/cost.ts';
import { notesOf } from './sections/environment.ts';
import { layerChanges } from './sections/layers.ts';
import { noiseTable } from './sections/noise.ts';
import { groupHistories } from './sections/prunings.ts';
import { searchTable } from './sections/search.ts';
import { trialsTable } from './sections/trials.ts';
import { weightsTable } from './sections/weights.ts';
import { headline, type Summary, summarize } from './summary.ts';
import { plain, type TerminalTable, terminalTable } from './terminal-table.ts';

/** Options of {@link renderTerminal}. */
export interface TerminalOptions {
  /** Colours. By default on where the terminal has them and NO_COLOR is not set. */
  readonly color?: boolean;
  /** The most characters a line may take. Defaults to 80. */
  readonly width?: number;
}

/** Renders a run for the terminal: what happened, what it bought, and what went where. */
export const renderTerminal = (record: RunRecord, options: TerminalOptions = {}): string => {
  const { color = picocolors.isColorSupported, width = 80 } = options;
  const { bold } = picocolors.createColors(color);
  const summary = summarize(record);
  const { start, end } = summary;
  const tables = [
    costTable(summary),
    { heading: 'Search', ...searchTable(summary) },
    { heading: 'Layers tried without', ...trialsTable(summary) },
    { heading: 'Single weights', ...weightsTable(summary) },
    groupsTable(summary),
    evaluationsTable(summary),
    { heading: 'Accuracy under noise', ...noiseTable(summary.noises) },
    layersTable(summary),
  ];
  const parts = [
    `${start ? `${bold(plain(start.title))}\n` : ''}${wrap(plain(headline(summary)), width)}`,
    ...tables
      .filter(({ rows }) => rows.length > 0)
      .map(({ heading, ...table }) => `${bold(heading)}\n${terminalTable({ ...table, color, width })}`),
    notesOf(summary)
      .map((note) => wrap(`* ${plain(note)}`, width))
      .join('\n'),
    start !== undefined && end === undefined
      ? 'The record has no end: the run is still going, or was cut short.'
      : '',
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
};

interface Headed extends TerminalTable {
  readonly heading: string;
}

const costTable = (summary: Summary): Headed => {
  const pruned = summary.isReduced;
  return {
    heading: 'Cost',
    columns: pruned
      ? [
          { name: '' },
          { name: 'before', numeric: true },
          { name: 'after', numeric: true, strong: true },
          { name: 'change', numeric: true },
        ]
      : [{ name: '' }, { name: 'model', numeric: true, strong: true }],
    rows: costRows(summary).map(({ name, before, after, change }) =>
      pruned ? [name, before ?? null, after ?? null, change ?? null] : [name, after ?? before ?? null],
    ),
  };
};

const groupsTable = (summary: Summary): Headed => ({
  heading: 'Units',
  columns: [
    { name: 'group' },
    { name: 'kind' },
    { name: 'before', numeric: true },
    { name: 'after', numeric: true, strong: true },
    { name: 'removed', numeric: true },
    { name: 'kept' },
  ],
  rows: groupHistories(summary).map(({ id, kind, before, after }) => {
    const left = after.at(-1)!;
    return [id, kind, before, left, before - left, meter(before > 0 ? left / before : 1)];
  }),
});

const evaluationsTable = ({ evaluations }: Summary): Headed => ({
  heading: 'Accuracy',
  columns: [
    { name: 'stage' },
    { name: 'data' },
    { name: 'accuracy', numeric: true, strong: true },
    { name: 'loss', numeric: true },
  ],
  rows: evaluations.map(({ stage, split, accuracy, loss }) => [
    stage,
    split,
    formatPercent(accuracy, 2),
    formatNumber(loss),
  ]),
});

const layersTable = (summary: Summary): Headed => ({
  heading: 'Layers',
  columns: [
    { name: 'layer' },
    { name: 'output' },
    { name: 'params', numeric: true },
    { name: 'multiply-adds', numeric: true },
  ],
  rows: layerChanges(summary).map(({ before, after }) => {
    const [from, to] = [before ?? after!, after ?? before!];
    return [
      from.name,
      change(formatShape(from.outputShape), formatShape(to.outputShape)),
      amounts(before?.params, after?.params, summary),
      amounts(before?.macs, after?.macs, summary),
    ];
  }),
});

const change = (before: string, after: string): string => (before === after ? after : `${before} → ${after}`);

const amounts = (before: number | undefined, after: number | undefined, { end }: Summary): string => {
  const left = after ?? (end === undefined ? before : 0);
  return change(formatShort(before ?? 0), formatShort(left ?? 0));
};

/** Ten blocks, as many filled as are kept. */
const meter = (kept: number): string => {
  const filled = Math.max(0, Math.min(10, Math.round(kept * 10)));
  return `${'█'.repeat(filled)}${'░'.repeat(10 - filled)}`;
};

const wrap = (text: string, width: number): string => {
  const lines: string[] = [];
  // A pair of numbers stays on one line.
  for (const word of text.split(/(?<!→) (?!→)/)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
};
