import { type Cell, type Column, formatCount, terminalTable } from '@espalier/report';
import { find, type Result, type Row } from '../benchmark.ts';
import { caseOf } from './jobs.ts';
import { FRONTIER, type Level, levels, type Method, methods, nameOf, POINTS, TUNING } from './settings.ts';

/** A table for the terminal and for the page. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Exclude<Cell, object>[])[];
}

const shown = (row: Row | undefined): string | null => {
  if (!row) return null;
  return `${row.value.toFixed(2)}${row.spread === undefined ? '' : ` ±${row.spread.toFixed(2)}`}`;
};

const whole = caseOf({ kind: 'whole' });

/** The networks of the frontier with the whole one, from large to small: parameters and accuracy. */
export const frontierOf = (
  result: Result,
): { readonly name: string; readonly params: Row; readonly accuracy: Row }[] =>
  [
    { at: whole, name: 'unpruned: 20-50-800-500' },
    ...FRONTIER.map(({ sizes }) => ({ at: `frontier/${nameOf(sizes)}`, name: nameOf(sizes) })),
  ].flatMap(({ at, name }) => {
    const [params, accuracy] = [find(result, at, 'params'), find(result, at)];
    return params && accuracy ? [{ name, params, accuracy }] : [];
  });

const numeric = true;

/** Who chooses, and what is left after how much tuning. */
export function levelTable(result: Result, level: Level): Table {
  const parts = ['after-0', 'refit', ...POINTS.map((epoch) => `after-${epoch}`), ''];
  return {
    columns: [
      { name: 'Chosen by' },
      { name: 'At once', numeric },
      { name: 'Refitted', numeric },
      ...POINTS.map((epoch) => ({ name: epoch === 1 ? '1 epoch' : `${epoch} epochs`, numeric })),
      { name: `${TUNING.epochs} epochs`, numeric, strong: true },
    ],
    rows: (Object.keys(methods) as Method[]).map((method) => {
      const at = caseOf({ kind: 'thinned', level, method });
      return [
        methods[method],
        ...parts.map((part) => shown(find(result, part === '' ? at : `${at}/${part}`))),
      ];
    }),
  };
}

export const frontierTable = (result: Result): Table => ({
  columns: [
    { name: 'Filters, inputs of fc1, neurons' },
    { name: 'Parameters', numeric },
    { name: 'Accuracy', numeric, strong: true },
    { name: 'Target', numeric },
  ],
  rows: frontierOf(result).map(({ name, params, accuracy }) => [
    name,
    formatCount(params.value),
    shown(accuracy),
    accuracy.target ?? null,
  ]),
});

export const levelNames = Object.keys(levels) as readonly Level[];

export const levelTitle = (result: Result, level: Level): string =>
  `${levels[level].title}; unpruned ${shown(find(result, whole))}%`;

export const terminalOf = (result: Result): string =>
  [
    ...levelNames.map((level) => [levelTitle(result, level), levelTable(result, level)] as const),
    ['How small it can be', frontierTable(result)] as const,
  ]
    .map(([title, table]) => `${title}\n\n${terminalTable({ ...table, width: 110 })}`)
    .join('\n\n');
