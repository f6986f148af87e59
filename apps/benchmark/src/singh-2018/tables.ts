import { type Cell, type Column, terminalTable } from '@espalier/report';
import { find, type Result, type Row } from '../benchmark.ts';
import { afterPaper, leftName, restartCase } from './jobs.ts';
import {
  ADAPTIVE_CLASSIFIER,
  HIDDEN,
  type Length,
  lefts,
  PAPER_COUNTS,
  type SingleRow,
  singleRows,
  totalOf,
} from './paper.ts';

/** A table for the terminal and for the page. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Exclude<Cell, object>[])[];
}

/** An accuracy with its spread. */
export const shown = (row: Row | undefined, digits = 1): string | null => {
  if (!row) return null;
  const spread = row.spread === undefined ? '' : ` ±${row.spread.toFixed(digits)}`;
  return `${row.value.toFixed(digits)}${spread}`;
};

/** Units of a layer: whole, but for means. */
const counted = (row: Row | undefined): string | null =>
  row ? row.value.toFixed(Number.isInteger(row.value) ? 0 : 1) : null;

export const FROM_SCRATCH = 'from-scratch';

const methods: Readonly<Record<string, string>> = {
  sensitivity: 'Sensitivity',
  relevance: 'Relevance',
  badness: 'Badness',
  contribution: 'Contribution',
  angle: 'Angle',
  random: 'Random',
  [FROM_SCRATCH]: 'From scratch',
};

/** The columns of a deep table, by the last part of a case; after the short training nothing is from scratch. */
export const methodsOf = (length: Length): (readonly [method: string, name: string])[] =>
  Object.entries(methods).filter(([method]) => length === 'long' || method !== FROM_SCRATCH);

/** The case of a row and a column. */
export const caseOf = (row: string, method: string, length: Length): string =>
  length === 'long' ? `${row}/${method}` : `${row}/short/${method}`;

/** All rows of the deep table: what the paper removed, then more. */
export const deepRows: readonly { readonly name: string; readonly left: number; readonly target?: number }[] =
  [
    { name: leftName(afterPaper), left: totalOf(afterPaper) },
    ...lefts.map(({ units, target }) => ({ name: leftName(units), left: totalOf(units), target })),
  ];

const activations = { relu: 'ReLU', sigmoid: 'sigmoid' } as const;
const optimizers = { sgd: 'SGD', rmsprop: 'RMSProp' } as const;
export const singleTitle = ({ units, activation, recipe }: SingleRow): string =>
  `${units} units, ${activations[activation]}, ${optimizers[recipe.optimizer]}, ${recipe.epochs} epochs`;

const numeric = true;

export function singleTable(result: Result): Table {
  return {
    columns: [
      { name: 'Network' },
      { name: 'Paper', numeric },
      { name: 'Ours', numeric, strong: true },
      { name: 'Target', numeric },
      { name: 'Ours, validation', numeric },
    ],
    rows: [
      ...singleRows.map((row) => [
        singleTitle(row),
        row.paper ?? null,
        shown(find(result, row.name)),
        row.target ?? null,
        shown(find(result, row.name, 'validation')),
      ]),
      ['Adaptive classifier (Frey & Slate 1991)', ADAPTIVE_CLASSIFIER, null, null, null],
    ],
  };
}

export function ruleTable(result: Result): Table {
  const { fc1, fc2, fc3 } = PAPER_COUNTS.removed;
  const row = (label: string, name: string, paper: number | null, target: number | null) => [
    label,
    ...Object.entries(HIDDEN).map(([layer, size]) => counted(find(result, name, layer)) ?? String(size)),
    paper,
    shown(find(result, name)),
    target,
    shown(find(result, name, 'validation')),
  ];
  return {
    columns: [
      { name: 'Pruned by' },
      ...Object.keys(HIDDEN).map((name) => ({ name: `${name} left`, numeric })),
      { name: 'Paper', numeric },
      { name: 'Ours', numeric, strong: true },
      { name: 'Target', numeric },
      { name: 'Ours, validation', numeric },
    ],
    rows: [
      row('nothing', 'deep/unpruned', null, null),
      row(
        `the paper's counts (${fc1}, ${fc2}, ${fc3})`,
        'deep/paper-counts',
        PAPER_COUNTS.paper,
        PAPER_COUNTS.target,
      ),
      row("the paper's threshold", 'deep/paper-threshold', null, null),
    ],
  };
}

/** A pruning by each criterion at each number of neurons left. */
export function deepTable(result: Result, length: Length): Table {
  const columns = methodsOf(length);
  const targets = length === 'long';
  return {
    columns: [
      { name: `Left of ${totalOf(HIDDEN)}`, numeric },
      { name: 'Weights', numeric },
      ...(targets ? [{ name: 'Target', numeric }] : []),
      ...columns.map(([method, name]) => ({
        name,
        numeric,
        strong: method === 'sensitivity',
      })),
    ],
    rows: deepRows.map(({ name, left, target }) => [
      left,
      find(result, `${name}/sensitivity`, 'params')?.value ?? null,
      ...(targets ? [target ?? null] : []),
      ...columns.map(([method]) => shown(find(result, caseOf(name, method, length)))),
    ]),
  };
}

export function restartTable({ rows }: Result): Table {
  return {
    columns: [{ name: 'Units', numeric }, { name: 'Validation accuracy', numeric }, { name: 'Verdict' }],
    rows: rows
      .filter(({ case: name }) => name.startsWith(`${restartCase}/`))
      .map(({ case: name, value, note = '' }) => [
        name.split('/').at(-1)!.replace('-units', ''),
        value.toFixed(2),
        note,
      ]),
  };
}

export const restartTitle = (result: Result): string => {
  const [units, accuracy] = [find(result, restartCase, 'units'), find(result, restartCase)];
  return `Version 2, restart: ${units?.value ?? 'no'} units do (test accuracy ${shown(accuracy)}%)`;
};

export const terminalOf = (result: Result): string =>
  [
    ['One hidden layer: test accuracy in percent', singleTable(result)] as const,
    [restartTitle(result), restartTable(result)] as const,
    ["60-45-30 pruned while it trains, by the paper's rule", ruleTable(result)] as const,
    [
      '60-45-30 pruned further, then trained for long: test accuracy in percent',
      deepTable(result, 'long'),
    ] as const,
    [
      '60-45-30 pruned further, then hardly trained: test accuracy in percent',
      deepTable(result, 'short'),
    ] as const,
  ]
    .map(([title, table]) => `${title}\n\n${terminalTable({ ...table, width: 130 })}`)
    .join('\n\n');
