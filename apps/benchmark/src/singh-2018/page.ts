import { type Block, heatmap, htmlTable, type LineChart, type Page, type Section } from '@espalier/report';
import type { EpochEvent, EvaluateEvent, PruneEvent, RunRecord } from '@espalier/trainer';
import { find, metaOf, type Result } from '../benchmark.ts';
import { restartCase } from './jobs.ts';
import { ADAPTIVE_CLASSIFIER, HIDDEN, type Length, PRUNINGS, singleRows, totalOf } from './paper.ts';
import {
  caseOf,
  deepRows,
  deepTable,
  FROM_SCRATCH,
  methodsOf,
  restartTable,
  restartTitle,
  ruleTable,
  singleTable,
  singleTitle,
  type Table,
} from './tables.ts';

const table = (caption: string, content: Table): Block => ({ table: htmlTable({ caption, ...content }) });

export function pageOf(result: Result): Page {
  const { environment } = result;
  const quick =
    environment.quick === true
      ? ' This is the quick form: little training. Its figures only show that it runs.'
      : '';
  return {
    title: 'Pruning hidden neurons by their sensitivity',
    intro:
      `The tables of Singh (2018) on ${environment.dataset}: test accuracy in percent, ${runs(result)}. Everything was ` +
      `chosen on validation data; test data were looked at once, for these figures.${quick}`,
    meta: metaOf(environment),
    sections: [
      {
        heading: 'One hidden layer',
        intro:
          'The paper names no learning rates and no batch sizes: those are ours. Rates fall to 0 by half a cosine.',
        ...table('The paper’s rows, and ours', singleTable(result)),
      },
      {
        heading: restartTitle(result),
        intro:
          'Each size is trained from new weights; it holds if validation accuracy stays within half a point of 64 units.',
        ...table('The search, in order', restartTable(result)),
      },
      {
        heading: 'Three hidden layers, by the paper’s rule',
        intro: 'Sensitivity is judged every 50 epochs during the first 70% of the training.',
        ...table('Pruned while they train', ruleTable(result)),
      },
      {
        heading: 'Three hidden layers, pruned further',
        intro:
          `From a trained network, in small steps, within ${PRUNINGS.long.epochs} epochs of training. From scratch: a ` +
          'network of that size from the beginning, trained for as many epochs in all.',
        blocks: [
          table('Who judges, with much training', deepTable(result, 'long')),
          { chart: leftChart(result, 'long') },
          {
            text:
              `So much training makes up for a bad choice. Within ${PRUNINGS.short.epochs} epochs it can’t, ` +
              'and who judges matters more.',
          },
          table('Who judges, with little training', deepTable(result, 'short')),
          { chart: leftChart(result, 'short') },
        ],
      },
      ...(result.records ? trainings(result.records) : []),
    ],
  };
}

const runs = ({ environment: { seeds } }: Result): string =>
  seeds === 1 ? 'one training of each' : `means of ${seeds} trainings of each`;

function leftChart(result: Result, length: Length): LineChart {
  const ends = [Math.min(...deepRows.map(({ left }) => left)), totalOf(HIDDEN)] as const;
  const unpruned = find(result, 'deep/unpruned')?.value ?? Number.NaN;
  return {
    title: `Accuracy against the neurons left, ${PRUNINGS[length].epochs} epochs`,
    x: { name: `hidden neurons left of ${totalOf(HIDDEN)}`, min: ends[0], max: ends[1] },
    y: { name: 'accuracy, %' },
    series: [
      ...methodsOf(length).map(([method, name]) => ({
        name,
        dashed: method === FROM_SCRATCH,
        points: deepRows.flatMap(({ name: row, left }) => {
          const found = find(result, caseOf(row, method, length));
          return found ? [[left, found.value] as const] : [];
        }),
      })),
      { name: 'Unpruned', dashed: true, points: ends.map((end) => [end, unpruned] as const) },
    ],
  };
}

/** Whose curves are drawn, by case. */
const drawn: readonly { readonly heading: string; readonly titles: ReadonlyMap<string, string> }[] = [
  {
    heading: 'Curves and confusion: one hidden layer',
    titles: new Map([
      ...singleRows.map((row): [string, string] => [row.name, singleTitle(row)]),
      [restartCase, 'the fewest units that do'],
    ]),
  },
  {
    heading: 'Curves and confusion: three hidden layers',
    titles: new Map([
      ['deep/unpruned', '60-45-30, not pruned'],
      ['deep/paper-counts', '60-45-30, the paper’s counts by its rule'],
      ['deep/paper-threshold', '60-45-30, the paper’s threshold by its rule'],
      ...deepRows.map(({ name, left }): [string, string] => [
        `${name}/sensitivity`,
        `60-45-30, ${left} neurons left by sensitivity`,
      ]),
    ]),
  },
];

const trainings = (records: ReadonlyMap<string, RunRecord>): Section[] =>
  drawn.map(({ heading, titles }) => ({
    heading,
    intro: 'The trainings with the first seed. Losses include the weight decay, where there is any.',
    blocks: [...titles].flatMap(([name, title]) => blocksOf(title, records.get(name) ?? [])),
  }));

/** Points in one curve: more only make the page larger. */
const MOST_POINTS = 100;

function blocksOf(title: string, record: RunRecord): Block[] {
  const epochs = record.filter((event): event is EpochEvent => event.type === 'epoch');
  if (epochs.length === 0) return [];
  const every = Math.ceil(epochs.length / MOST_POINTS);
  const shown = epochs.filter((_, i) => i % every === 0 || i === epochs.length - 1);
  const marks = record
    .filter((event): event is PruneEvent => event.type === 'prune')
    .filter((_, i, all) => i === 0 || i === all.length - 1)
    .map(({ epoch }, i) => ({ x: epoch, label: i === 0 ? 'first pruning' : 'last' }));
  const curve = (name: string, pick: (event: EpochEvent) => number | undefined, dashed = false) => ({
    name,
    dashed,
    points: shown.map((event) => [event.epoch, pick(event) ?? Number.NaN] as const),
  });
  const chart = (what: string, y: LineChart['y'], series: LineChart['series']): Block => ({
    chart: { title: `${what}: ${title}`, x: { name: 'epoch', min: 0 }, y, series, marks, height: 240 },
  });
  const ends = [shown[0]!.epoch, shown.at(-1)!.epoch];
  const confusion = record.find(
    (event): event is EvaluateEvent => event.type === 'evaluate' && event.split === 'test',
  );
  return [
    chart('Loss', { name: 'loss', min: 0 }, [
      curve('validation', ({ valLoss }) => valLoss),
      curve('training', ({ loss }) => loss, true),
    ]),
    chart('Accuracy', { name: 'accuracy, %' }, [
      curve('validation', ({ valAccuracy }) => valAccuracy && 100 * valAccuracy),
      curve('training', ({ accuracy }) => accuracy && 100 * accuracy, true),
      {
        name: 'adaptive classifier (Frey & Slate 1991)',
        dashed: true,
        points: ends.map((end) => [end, ADAPTIVE_CLASSIFIER] as const),
      },
    ]),
    ...(confusion ? [confusionOf(title, confusion)] : []),
  ];
}

function confusionOf(title: string, { accuracy, confusion }: EvaluateEvent): Block {
  const labels = confusion.map((_, i) => String.fromCharCode(65 + i));
  const heading = `Confusion on test data, ${(100 * accuracy).toFixed(1)}% right`;
  const drawn = heatmap({
    title: `${heading}: ${title}`,
    x: { name: 'predicted', labels },
    y: { name: 'actual', labels },
    values: confusion,
    confusion: true,
  });
  // a list in <details> scrolls within itself; a matrix is seen as a whole
  const region = `class="scroll" style="max-height:none" role="region" aria-label="${heading}" tabindex="0"`;
  return {
    html: `<details><summary>${heading}</summary><figure><div ${region}>${drawn}</div></figure></details>`,
  };
}
