import { join } from 'node:path';
import { htmlTable, type LineChart, type Page, terminalTable } from '@espalier/report';
import { type Benchmark, environmentOf, find, metaOf, type Result, type Row, rowOf } from '../benchmark.ts';
import { runJobs } from '../worker-pool.ts';
import type { Job, Measured } from './measure.ts';
import { LEVELS, networks } from './paper.ts';
import { accuracyTable, caseOf, formsTable, methods, networksIn, sizeTable, stages } from './tables.ts';

export const aghasi2017: Benchmark = {
  name: 'aghasi-2017',
  description: 'the Net-Trim paper: single weights of six networks on MNIST, beside pruning by magnitude',

  async run(options) {
    const cache = join(options.out, 'nets');
    const { quick, engine } = options;
    const jobs = networks.flatMap((network) =>
      options.seeds.map((seed): Job => ({ network, seed, quick, engine, cache })),
    );
    const measured = await runJobs<Job, Measured>([jobs], {
      ...{ benchmark: this.name, workers: options.workers, log: options.log, isolate: false },
      describe: ({ network, seed }) => `${network.name}, seed ${seed}: done`,
    });
    const environment = { ...(await environmentOf(options)), dataset: measured[0]?.dataset ?? 'none' };
    return { name: this.name, environment, rows: rowsOf(measured) };
  },

  terminal: (result) =>
    [
      ['Test accuracy in percent, with as many weights gone by both methods', accuracyTable(result)] as const,
      ['The two forms of Net-Trim', formsTable(result)] as const,
      ['Size of the saved model, gzipped (Net-Trim, fine-tuned)', sizeTable(result)] as const,
    ]
      .map(([title, table]) => `${title}\n\n${terminalTable({ ...table, width: 120 })}`)
      .join('\n\n'),

  page(result): Page {
    const { environment } = result;
    const runs =
      environment.seeds === 1 ? 'one training of each' : `means of ${environment.seeds} trainings of each`;
    return {
      title: 'Pruning single weights by convex programs',
      intro:
        `The six networks of Aghasi et al. (2017) on ${environment.dataset}: test accuracy in percent, ${runs}. Epsilon was ` +
        'chosen on validation data. Magnitude takes as many weights as Net-Trim did, of each layer or of all together: ' +
        `whichever did better on validation data. In parallel each layer goes by what it read before, in cascade by what the pruned ones leave. In fine-tuning the zeros are held. Trained on: the unpruned network after the same fine-tuning.${environment.quick === true ? ' This is the quick form: its figures only show that it runs.' : ''}`,
      meta: metaOf(environment),
      sections: [
        {
          heading: 'Accuracy',
          blocks: [
            {
              table: htmlTable({ caption: 'As many weights gone by both methods', ...accuracyTable(result) }),
            },
            { table: htmlTable({ caption: 'The two forms of Net-Trim', ...formsTable(result) }) },
            ...networksIn(result).map(({ name, title }) => ({ chart: chartOf(result, name, title) })),
          ],
        },
        {
          heading: 'Size',
          intro: 'Zeros make a saved model smaller only once it is compressed, as web servers do.',
          table: htmlTable({ caption: 'Saved models, gzipped', ...sizeTable(result) }),
        },
      ],
    };
  },
};

/** All seeds' figures of each case. A fine-tuned network should have lost nothing, up to three quarters of its weights gone. */
export function rowsOf(measured: readonly Measured[]): Row[] {
  const figures = measured.flatMap((one) => Object.entries(one.figures));
  const cases = [...new Set(figures.map(([name]) => name))];
  return cases.flatMap((name) => {
    const seeds = figures.filter(([other]) => other === name).map(([, found]) => found);
    return Object.keys(seeds[0]!).map((metric) =>
      rowOf(
        name,
        metric,
        seeds.map((found) => found[metric]!),
        metric === 'change' && targets.has(name) ? { target: 0 } : {},
      ),
    );
  });
}

const targets = new Set(
  networks.flatMap((network) =>
    LEVELS.filter((level) => level <= 75).map((level) => caseOf(network, level, 'nettrim', 'tuned')),
  ),
);

function chartOf(result: Result, name: string, title: string): LineChart {
  const unpruned = find(result, `${name}/unpruned`)?.value ?? Number.NaN;
  const series = Object.entries(methods)
    .flatMap(([method, methodName]) =>
      Object.entries(stages).map(([stage, stageName]) => ({
        name: `${methodName}, ${stageName}`,
        dashed: stage === 'pruned',
        points: LEVELS.flatMap((level) => {
          const of = `${name}/${level}-percent/${method}/${stage}`;
          const [zeros, accuracy] = [find(result, of, 'zeros'), find(result, of)];
          return zeros && accuracy ? [[zeros.value, accuracy.value] as const] : [];
        }),
      })),
    )
    .filter(({ points }) => points.length > 0);
  return {
    title: `Accuracy against the share of weights gone: ${title}`,
    x: { name: 'weights that are 0, %', min: 0, max: 100 },
    y: { name: 'accuracy, %' },
    series: [
      ...series,
      {
        name: 'Unpruned',
        dashed: true,
        points: [
          [0, unpruned],
          [100, unpruned],
        ],
      },
    ],
    height: 240,
  };
}
