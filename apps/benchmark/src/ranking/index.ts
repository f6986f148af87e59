import { type Column, htmlTable, type Page, terminalTable } from '@espalier/report';
import { type Benchmark, environmentOf, metaOf, type Result, type Row, rowOf } from '../benchmark.ts';
import { workerPool } from '../worker-pool.ts';
import type { Job, Measured, Net } from './measure.ts';

const datasets = ['letters', 'glyphs'] as const;

const nets: readonly Net[] = datasets.flatMap((dataset) =>
  (['sigmoid', 'tanh', 'relu'] as const).flatMap((activation) =>
    [16, 24].map((units) => ({ dataset, units, activation })),
  ),
);

const criterionNames: Readonly<Record<string, string>> = {
  'relevance-exact': 'relevance, exact',
  'relevance-exact-quarter': 'relevance, exact, by 1/4 of the rows',
  relevance: 'relevance, order 2',
  'relevance-first-order': 'relevance, order 1',
  contribution: 'contribution',
  'contribution-variance': 'contribution, variance',
  sensitivity: 'sensitivity, incoming',
  'sensitivity-outgoing': 'sensitivity, outgoing',
  'step-angle': 'step angle',
  badness: 'badness',
  random: 'random',
};

/** Of a criterion that claims to estimate the loss without a unit. */
const targets: Readonly<Record<string, number>> = { 'relevance-exact': 0.9 };

export const ranking: Benchmark = {
  name: 'ranking',
  description: "each criterion's order of a layer's units against the loss really measured without each",

  async run(options) {
    const { seeds, quick, engine } = options;
    const wanted = quick ? nets.slice(0, 2) : nets;
    const pool = workerPool(this.name, options.workers, { isolate: false });
    try {
      const rows = await Promise.all(
        wanted.map(async (net) => {
          const jobs = seeds.map((seed): Job => ({ net, seed, quick, engine }));
          const measured = (await Promise.all(jobs.map((job) => pool.run(job)))) as Measured[];
          options.log(`${nameOf(net)}: done`);
          return rowsOf(net, measured);
        }),
      );
      return { name: this.name, environment: await environmentOf(options), rows: rows.flat() };
    } finally {
      await pool.destroy();
    }
  },

  terminal: (result) =>
    datasets
      .map((dataset) => `${dataset}\n\n${terminalTable({ ...table(result, dataset), width: 120 })}`)
      .join('\n\n'),

  page(result): Page {
    return {
      title: 'Do criteria rank units as their removal does?',
      intro:
        'Spearman’s correlation between a criterion’s scores of the units of a hidden layer and the loss without each unit, ' +
        'measured by taking it out: 1 is the same order, 0 none, -1 upside down. Loss and scores are of the same rows, ' +
        `those that the net was trained on (a quarter of them where it says so); ${result.environment.seeds} trainings of each.`,
      meta: metaOf(result.environment),
      sections: datasets.map((dataset) => ({
        heading: `Nets trained on ${dataset}`,
        table: htmlTable({ caption: 'Rank correlation with the measured loss', ...table(result, dataset) }),
      })),
    };
  },
};

const nameOf = ({ dataset, units, activation }: Net): string => `${dataset}-${units}-${activation}`;

/** The rows of all seeds of one net. */
export function rowsOf(net: Net, measured: readonly Measured[]): Row[] {
  const criteria = Object.keys(measured[0]?.correlations ?? {}).map((criterion) => {
    const values = measured.map(({ correlations }) => correlations[criterion]!);
    return rowOf(`${nameOf(net)}/${criterion}`, 'spearman', values, { target: targets[criterion] });
  });
  const accuracies = measured.map(({ accuracy }) => 100 * accuracy);
  return [...criteria, rowOf(`${nameOf(net)}/unpruned`, 'accuracy', accuracies)];
}

function table({ rows }: Result, dataset: Net['dataset']): { columns: Column[]; rows: string[][] } {
  const names = nets.filter((net) => net.dataset === dataset).map(nameOf);
  const find = (name: string): Row | undefined => rows.find((row) => row.case === name);
  const shown = (row: Row | undefined): string =>
    row ? row.value.toFixed(2) + (row.spread === undefined ? '' : ` ±${row.spread.toFixed(2)}`) : '–';
  return {
    columns: [
      { name: 'Criterion' },
      ...names.map((name) => ({ name: name.split('-').slice(1).join(' '), numeric: true })),
    ],
    rows: [
      ...Object.entries(criterionNames).map(([criterion, called]) => [
        called,
        ...names.map((name) => shown(find(`${name}/${criterion}`))),
      ]),
      [
        'right on these rows',
        ...names.map((name) => `${find(`${name}/unpruned`)?.value.toFixed(0) ?? '–'}%`),
      ],
    ],
  };
}
