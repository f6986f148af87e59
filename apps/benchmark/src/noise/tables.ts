import { type Cell, type Column, terminalTable } from '@espalier/report';
import { find, type Result, type Row } from '../benchmark.ts';
import { caseOf, methodNames } from './figures.ts';
import { titleOf, UNPRUNED } from './methods.ts';
import { type Case, cases, MOST, type Treatment, treatmentNames, treatments } from './settings.ts';

/** The cases that were measured. */
export const casesIn = (result: Result): readonly Case[] =>
  cases.filter(({ name }) => find(result, caseOf(name, 'plain', UNPRUNED), 'accuracy'));

/** A table for the terminal and for the page. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Exclude<Cell, object>[])[];
}

/** Accuracy without noise, and the worst ratios, by method and by what followed the pruning. */
export const caseTable = (result: Result, name: string): Table => {
  const numeric = true;
  return {
    columns: [
      { name: 'Half gone by' },
      ...treatmentNames.flatMap((treatment) => [
        { name: `${treatments[treatment]}: %`, numeric },
        { name: 'ratio', numeric },
        { name: 'total', numeric },
      ]),
    ],
    rows: methodNames.map((method) => [
      method === UNPRUNED ? 'Nobody: whole' : titleOf(method),
      ...treatmentNames.flatMap((treatment) => {
        const value = (metric: string): Row | undefined =>
          find(result, caseOf(name, treatment, method), metric);
        return [
          value('accuracy')?.value.toFixed(1) ?? null,
          value('ratio')?.value.toFixed(2) ?? null,
          value('total')?.value.toFixed(2) ?? null,
        ];
      }),
    ]),
  };
};

interface Standing {
  readonly method: string;
  readonly row: Row;
}

/** The pruned nets of a case after a treatment, the worst ratio of each, the least first. */
const standings = (result: Result, name: string, treatment: Treatment, metric: string): Standing[] =>
  methodNames
    .filter((method) => method !== UNPRUNED)
    .flatMap((method) => {
      const row = find(result, caseOf(name, treatment, method), metric);
      return row ? [{ method, row }] : [];
    })
    .sort((a, b) => a.row.value - b.row.value);

/** Who holds at every level, and who comes nearest. */
export const verdict = (result: Result, name: string, treatment: Treatment): string => {
  const [own, total] = ['ratio', 'total'].map((metric) => standings(result, name, treatment, metric));
  const holding = own!.filter(({ row }) => row.meets).map(({ method }) => titleOf(method));
  const nearest = total![0]!;
  const held = total!.filter(({ row }) => row.meets).map(({ method }) => titleOf(method));
  return (
    `${treatments[treatment].slice(0, 1).toUpperCase()}${treatments[treatment].slice(1)}: at most ${MOST} times the ` +
    `whole net's loss at every level, each by its own accuracy: ${holding.join('; ') || 'none'}. ` +
    `By the whole net's accuracy: ${held.join('; ') || 'none'}; nearest comes ${titleOf(nearest.method)}, ` +
    `${nearest.row.value.toFixed(2)} (${nearest.row.note}).`
  );
};

export const explanation: string =
  'Ratio: what the worst noise costs a net, by what it costs the whole net that was not trained further, each held against ' +
  'its own accuracy without noise. Total: the same, but both held against the accuracy of the whole net, so that what ' +
  'pruning costs counts as well. A net that is broken has a low ratio: it has little left to lose.';

export const terminalOf = (result: Result): string =>
  [
    ...casesIn(result).map(({ name, title }) =>
      [
        title,
        terminalTable({ ...caseTable(result, name), width: 130 }),
        ...treatmentNames.map((treatment) => verdict(result, name, treatment)),
      ].join('\n\n'),
    ),
    explanation,
  ].join('\n\n');
