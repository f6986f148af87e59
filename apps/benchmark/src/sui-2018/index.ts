import { join } from 'node:path';
import { type Column, htmlTable, lineChart, type Page, type Series, terminalTable } from '@espalier/report';
import {
  type Benchmark,
  environmentOf,
  find,
  mean,
  metaOf,
  type Result,
  type Row,
  rowOf,
} from '../benchmark.ts';
import { runJobs } from '../worker-pool.ts';
import type { Job, Measured } from './measure.ts';
import { LOSS, nets, type PaperNet, UNPRUNED_TARGET, UPPER } from './paper.ts';

const methodNames: Readonly<Record<string, string>> = {
  'angle-add': 'Angle, add (the paper)',
  'angle-scale': 'Angle, scaled add',
  'angle-mean': 'Angle, mean',
  'angle-none': 'Angle, none',
  'angle-least-squares': 'Angle, refit',
  'angle-weighted': 'Angle, weighted refit',
  'bounds-weighted': 'Within angles, weighted refit',
  'reconstruction-least-squares': 'Reconstruction, refit',
  'reconstruction-weighted': 'Reconstruction, weighted refit',
  'random-none': 'Random, none',
  'random-least-squares': 'Random, refit',
};

export const sui2018: Benchmark = {
  name: 'sui-2018',
  description: 'the three tables of the angle-pruning paper: LeNets on MNIST, pruned without retraining',

  async run(options) {
    const jobs = options.seeds.flatMap((seed) =>
      nets.map(
        (net): Job => ({
          net,
          seed,
          quick: options.quick,
          engine: options.engine,
          cache: join(options.out, 'nets'),
        }),
      ),
    );
    const results = await runJobs<Job, Measured>([jobs], {
      ...{ benchmark: this.name, workers: options.workers, log: options.log },
      describe: ({ net, seed }) => `${net.name}, seed ${seed}: done`,
    });
    const values = new Map<
      string,
      { readonly case: string; readonly metric: string; readonly values: number[] }
    >();
    for (const { case: name, metric, value } of results.flatMap(({ measurements }) => measurements)) {
      const key = `${name} ${metric}`;
      const entry = values.get(key) ?? { case: name, metric, values: [] };
      entry.values.push(value);
      values.set(key, entry);
    }
    const rows = [...values.values()].map((entry) =>
      rowOf(entry.case, entry.metric, entry.values, {
        ...paperOf(entry),
        ...targetOf(entry, (net) => mean(values.get(`${net.name}/unpruned accuracy`)!.values)),
      }),
    );
    const environment = { ...(await environmentOf(options)), dataset: results[0]?.dataset ?? 'none' };
    return { name: this.name, environment, rows };
  },

  terminal(result) {
    const tables = nets.map((net) => {
      const { columns, rows } = countTable(result, net);
      return `${title(result, net)}\n\n${terminalTable({ columns, rows, width: 110 })}`;
    });
    const bounds = boundsTable(result);
    return [
      ...tables,
      `By the paper's bounds (upper ${UPPER} degrees)\n\n${terminalTable({ ...bounds, width: 110 })}`,
    ].join('\n\n');
  },

  page(result): Page {
    const quick = result.environment.quick === true;
    return {
      title: 'Pruning by the similarity of hidden units',
      intro:
        `The three tables of Sui (2018) on ${result.environment.dataset}: inputs of the hidden layer removed by their angles, ` +
        `without retraining; ${runs(result)}, accuracy on test data in percent.` +
        (quick
          ? ' This is the quick form: few images, little training. Its figures only show that it runs.'
          : ''),
      meta: metaOf(result.environment),
      sections: [
        {
          heading: 'Accuracy against units removed',
          intro: 'Solid: Espalier with the paper’s method. Dashed: the paper’s own figures.',
          chart: lineChart({
            title: 'Accuracy against the share of units removed, three nets',
            x: { name: 'units removed, %', min: 0, max: 50 },
            y: { name: 'accuracy, %' },
            series: nets.flatMap((net) => paperSeries(result, net)),
          }),
        },
        ...nets.map((net) => ({
          heading: title(result, net),
          blocks: [
            {
              table: htmlTable({ caption: `${net.name} at the paper's counts`, ...countTable(result, net) }),
            },
            {
              chart: lineChart({
                title: `${net.name}: what the survivors take over`,
                x: { name: `units removed of ${net.units}`, min: 0 },
                y: { name: 'accuracy, %' },
                series: Object.entries(methodNames).map(([method, name]) => ({
                  name,
                  points: curve(result, net, method),
                })),
              }),
            },
          ],
        })),
        {
          heading: 'By the paper’s bounds',
          intro: `A pair below the lower bound or above ${UPPER} degrees loses one unit. How many pairs there are depends on the trained net.`,
          table: htmlTable({
            caption: 'Counts and accuracies that come out of the bounds',
            ...boundsTable(result),
          }),
        },
      ],
    };
  },
};

/** Those that should hardly lose anything. */
const aimed: ReadonlySet<string> = new Set([
  'angle-least-squares',
  'angle-weighted',
  'bounds-weighted',
  'reconstruction-least-squares',
  'reconstruction-weighted',
]);

/** What ours should be at least, by what the unpruned net is. */
function targetOf(
  { case: name, metric }: Pick<Row, 'case' | 'metric'>,
  unprunedOf: (net: PaperNet) => number,
): { target?: number } {
  const [netName, part, method] = name.split('/');
  const net = nets.find((candidate) => candidate.name === netName)!;
  if (part === 'unpruned') return { target: UNPRUNED_TARGET };
  if (metric !== 'accuracy' || !aimed.has(method!)) return {};
  return { target: unprunedOf(net) - (part === `${net.far}-of-${net.units}` ? LOSS.far : LOSS.paper) };
}

/** The paper's figure beside ours. */
function paperOf({ case: name, metric }: Pick<Row, 'case' | 'metric'>): { reference?: number } {
  const [netName, part, method] = name.split('/');
  const net = nets.find((candidate) => candidate.name === netName)!;
  if (method !== 'angle-add') return {};
  const row = net.rows.find(
    ({ lower, pruned }) => part === `bounds-${lower}-${UPPER}` || part === `${pruned}-of-${net.units}`,
  )!;
  return { reference: metric === 'units' ? row.pruned : row.accuracy };
}

const runs = ({ environment: { seeds } }: Result): string =>
  seeds === 1 ? 'one training of each' : `means of ${seeds} trainings of each`;

/** One decimal, but a count that is no mean is whole. */
const shown = (row: Row | undefined): string => {
  if (!row) return '–';
  if (row.spread !== undefined) return `${row.value.toFixed(1)} ±${row.spread.toFixed(1)}`;
  return row.value.toFixed(row.metric === 'units' ? 0 : 1);
};

function title(result: Result, net: PaperNet): string {
  return `${net.name}: ${net.units} units, unpruned ${shown(find(result, `${net.name}/unpruned`))}%`;
}

function countTable(result: Result, net: PaperNet): { columns: Column[]; rows: (string | number)[][] } {
  const numeric = true;
  return {
    columns: [
      { name: 'Units removed', numeric },
      { name: 'Paper', numeric },
      ...Object.values(methodNames).map((name) => ({ name, numeric })),
    ],
    rows: [...net.rows, { pruned: net.far, accuracy: '–' }].map(({ pruned, accuracy }) => [
      `${pruned} of ${net.units}`,
      accuracy,
      ...Object.keys(methodNames).map((method) =>
        shown(find(result, `${net.name}/${pruned}-of-${net.units}/${method}`)),
      ),
    ]),
  };
}

function boundsTable(result: Result): { columns: Column[]; rows: (string | number)[][] } {
  const numeric = true;
  return {
    columns: [
      { name: 'Net' },
      { name: 'Lower', numeric },
      { name: 'Paper: units', numeric },
      { name: 'Ours: units', numeric },
      { name: 'Paper: accuracy', numeric },
      { name: 'Ours: accuracy', numeric },
    ],
    rows: nets.flatMap((net) =>
      net.rows.map(({ lower, pruned, accuracy }) => {
        const name = `${net.name}/bounds-${lower}-${UPPER}/angle-add`;
        return [
          net.name,
          lower,
          pruned,
          shown(find(result, name, 'units')),
          accuracy,
          shown(find(result, name)),
        ];
      }),
    ),
  };
}

function curve(result: Result, net: PaperNet, method: string): [number, number][] {
  const unpruned = find(result, `${net.name}/unpruned`);
  const points = [...net.rows, { pruned: net.far }].flatMap(({ pruned }): [number, number][] => {
    const row = find(result, `${net.name}/${pruned}-of-${net.units}/${method}`);
    return row ? [[pruned, row.value]] : [];
  });
  return unpruned ? [[0, unpruned.value], ...points] : points;
}

function paperSeries(result: Result, net: PaperNet): Series[] {
  const share = ([pruned, accuracy]: readonly [number, number]): [number, number] => [
    (100 * pruned) / net.units,
    accuracy,
  ];
  return [
    { name: `${net.name}, ours`, points: curve(result, net, 'angle-add').map(share) },
    {
      name: `${net.name}, paper`,
      dashed: true,
      points: net.rows.map(({ pruned, accuracy }) => share([pruned, accuracy])),
    },
  ];
}
