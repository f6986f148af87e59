import type { Cell, Column } from '@espalier/report';
import { find, type Result, type Row } from '../benchmark.ts';
import { LEVELS, type Network, networks } from './paper.ts';

/** A table for the terminal and for the page. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Exclude<Cell, object>[])[];
}

export const methods = {
  nettrim: 'Net-Trim',
  cascade: 'Net-Trim in cascade',
  magnitude: 'Magnitude',
} as const;
export const stages = { pruned: 'pruned', tuned: 'tuned' } as const;

/** The case of one network, pruned. */
export const caseOf = (
  { name }: Pick<Network, 'name'>,
  level: number,
  method: keyof typeof methods,
  stage: keyof typeof stages,
): string => `${name}/${level}-percent/${method}/${stage}`;

const shown = (row: Row | undefined, digits: number): string | null => row?.value.toFixed(digits) ?? null;

const withSpread = (row: Row | undefined): string | null =>
  row === undefined
    ? null
    : `${row.value.toFixed(2)}${row.spread === undefined ? '' : ` ±${row.spread.toFixed(2)}`}`;

/** The networks that were measured. */
export const networksIn = (result: Result): Network[] =>
  networks.filter(({ name }) => find(result, `${name}/unpruned`));

/** What is left of the accuracy, with as many weights gone by both methods. */
export function accuracyTable(result: Result): Table {
  const numeric = true;
  const compared = ['nettrim', 'magnitude'] as const;
  return {
    columns: [
      { name: 'Network' },
      { name: 'Unpruned', numeric },
      { name: 'Trained on', numeric },
      { name: 'Zeros, %', numeric },
      ...compared.flatMap((method) =>
        Object.values(stages).map((stage) => ({ name: `${methods[method]}, ${stage}`, numeric })),
      ),
    ],
    rows: networksIn(result).flatMap((network) =>
      LEVELS.map((level) => [
        network.title,
        withSpread(find(result, `${network.name}/unpruned`)),
        withSpread(find(result, `${network.name}/unpruned/tuned`)),
        shown(find(result, caseOf(network, level, 'nettrim', 'pruned'), 'zeros'), 1),
        ...compared.flatMap((method) =>
          keysOf(stages).map((stage) => withSpread(find(result, caseOf(network, level, method, stage)))),
        ),
      ]),
    ),
  };
}

/** Net-Trim's two forms, each with as many weights gone as its best epsilon took. */
export function formsTable(result: Result): Table {
  const numeric = true;
  const forms = { nettrim: 'Parallel', cascade: 'Cascade' } as const;
  return {
    columns: [
      { name: 'Network' },
      ...Object.values(forms).flatMap((form) =>
        ['zeros, %', ...Object.values(stages)].map((figure) => ({ name: `${form}, ${figure}`, numeric })),
      ),
    ],
    rows: networksIn(result)
      .filter(({ cascade }) => cascade)
      .flatMap((network) =>
        LEVELS.map((level) => [
          network.title,
          ...keysOf(forms).flatMap((form) => [
            shown(find(result, caseOf(network, level, form, 'pruned'), 'zeros'), 1),
            ...keysOf(stages).map((stage) => withSpread(find(result, caseOf(network, level, form, stage)))),
          ]),
        ]),
      ),
  };
}

/** What a web server would send. */
export function sizeTable(result: Result): Table {
  const numeric = true;
  return {
    columns: [
      { name: 'Network' },
      { name: 'Unpruned, kB', numeric },
      ...LEVELS.flatMap((level) => [
        { name: `From ${level}%, kB`, numeric },
        { name: 'ratio', numeric },
      ]),
    ],
    rows: networksIn(result).map((network) => {
      const whole = find(result, `${network.name}/unpruned`, 'gzipped');
      return [
        network.title,
        shown(whole, 0),
        ...LEVELS.flatMap((level) => {
          const small = find(result, caseOf(network, level, 'nettrim', 'tuned'), 'gzipped');
          return [shown(small, 0), whole && small ? `${(whole.value / small.value).toFixed(1)}×` : null];
        }),
      ];
    }),
  };
}

const keysOf = <T extends object>(record: T): (keyof T)[] => Object.keys(record) as (keyof T)[];
