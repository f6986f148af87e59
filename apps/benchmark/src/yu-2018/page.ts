import {
  type Cell,
  type Column,
  htmlTable,
  type LineChart,
  type Page,
  terminalTable,
} from '@espalier/report';
import { find, metaOf, type Result, type Row } from '../benchmark.ts';
import { type LevelName, levels, type MethodName, methods, type NetName, nets } from './settings.ts';

interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Exclude<Cell, object>[])[];
}

/** A network at one size. */
interface Race {
  readonly name: string;
  readonly title: string;
}

const races = (Object.keys(nets) as NetName[]).flatMap((net) =>
  (Object.keys(levels) as LevelName[]).map(
    (level): Race => ({ name: `${net}/${level}`, title: `${nets[net].title}, ${levels[level].title}` }),
  ),
);

const named = Object.entries(methods) as [MethodName, string][];

const shown = (row: Row | undefined): string | null => {
  if (!row) return null;
  return `${row.value.toFixed(2)}${row.spread === undefined ? '' : ` ±${row.spread.toFixed(2)}`}`;
};

/** How soon one method is where another ends. */
const race = (result: Result, { name }: Race, method: MethodName, other: MethodName): string | null => {
  const row = find(result, `${name}/${method}-reaches-${other}`, 'epochs');
  if (!row) return null;
  return row.note ? 'never' : String(row.value);
};

const numeric = true;

function tableOf(result: Result, one: Race): Table {
  return {
    columns: [
      { name: 'Chosen by' },
      { name: 'Before, %', numeric },
      { name: 'After, %', numeric },
      { name: 'Test, %', numeric, strong: true },
      { name: 'NISP is there after', numeric },
      { name: 'at once', numeric },
      { name: 'It is where NISP ends after', numeric },
    ],
    rows: named.map(([method, title]) => [
      title,
      shown(find(result, `${one.name}/${method}/after-0`, 'validation')),
      shown(find(result, `${one.name}/${method}`, 'validation')),
      shown(find(result, `${one.name}/${method}`, 'accuracy')),
      race(result, one, 'nisp', method),
      race(result, one, 'nisp-at-once', method),
      race(result, one, method, 'nisp'),
    ]),
  };
}

/** Validation accuracy while the small networks train, each point the mean of all seeds. */
function chartOf({ rows }: Result, { name, title }: Race): LineChart {
  return {
    title,
    x: { name: 'epochs of training', min: 0 },
    y: { name: 'accuracy on validation data, %' },
    series: named.map(([method, called]) => {
      const prefix = `${name}/${method}/after-`;
      const points = rows.filter((row) => row.case.startsWith(prefix));
      return {
        name: called,
        dashed: method === 'from-scratch',
        points: points.map((row) => [Number(row.case.slice(prefix.length)), row.value] as const),
      };
    }),
  };
}

/** What came of the paper's claim, in a sentence. */
function verdict(result: Result): string {
  const claims = result.rows.filter(({ meets }) => meets !== undefined);
  const missed = claims.filter(({ meets }) => !meets).map((row) => row.case);
  const held = `NISP is where the others end in fewer epochs than they took in ${claims.length - missed.length} of ${claims.length} cases.`;
  return missed.length === 0 ? held : `${held} It is not in: ${missed.join(', ')}.`;
}

const QUICK = ' This is the quick form: little training. Its figures only show that it runs.';

export function pageOf(result: Result): Page {
  const { seeds, quick, datasets } = result.environment;
  return {
    title: 'NISP: pruned by propagated importance, then fine-tuned',
    intro:
      `Networks trained on ${datasets}, pruned and trained further; ${seeds} trainings of each. ${verdict(result)} "Before" ` +
      'and "after" this training are on validation data, which the epochs to another’s end are counted on, too, by means ' +
      `over trainings. Networks from scratch train for as long as the whole network and the pruned one together.${quick === true ? QUICK : ''}`,
    meta: metaOf(result.environment),
    sections: races.map((one) => ({
      heading: one.title,
      blocks: [
        { chart: chartOf(result, one) },
        {
          table: htmlTable({
            caption: 'Accuracies, and epochs to where another ends',
            ...tableOf(result, one),
          }),
        },
      ],
    })),
  };
}

export const terminalOf = (result: Result): string =>
  [
    ...races.map((one) => `${one.title}\n\n${terminalTable({ ...tableOf(result, one), width: 140 })}`),
    verdict(result),
  ].join('\n\n');
