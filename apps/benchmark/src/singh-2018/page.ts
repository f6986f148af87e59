import { type Block, heatmap, htmlTable, type LineChart, type Page, type Section } from '@espalier/report';
import type { EpochEvent, EvaluateEvent, PruneEvent, RunRecord } from '@espalier/trainer';
import type { Result } from '../benchmark.ts';
import { restartCase } from './jobs.ts';
import { ADAPTIVE_CLASSIFIER, HIDDEN, singleRows, totalOf } from './paper.ts';
import {
  deepRows,
  deepTable,
  find,
  methods,
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
    meta: Object.entries(environment)
      .map(([key, value]) => `${key}: ${value}`)
      .join(' · '),
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
          'From a trained network, in many small steps with training in between. From scratch: a network of that size ' +
          'from the beginning, trained for as many epochs.',
        blocks: [table('Who judges', deepTable(result)), { chart: leftChart(result) }],
      },
      ...(result.records ? trainings(result.records) : []),
    ],
  };
}

const runs = ({ environment: { seeds } }: Result): string =>
  seeds === 1 ? 'one training of each' : `means of ${seeds} trainings of each`;

function leftChart(result: Result): LineChart {
  const lefts = deepRows.map(({ left }) => left);
  const ends = [Math.min(...lefts), totalOf(HIDDEN)];
  const unpruned = find(result, 'deep/unpruned');
  return {
    title: 'Accuracy against the neurons left',
    x: { name: `hidden neurons left of ${totalOf(HIDDEN)}`, min: ends[0]!, max: ends[1]! },
    y: { name: 'accuracy, %' },
    series: [
      ...Object.entries(methods).map(([method, name]) => ({
        name,
        dashed: method === 'from-scratch',
        points: deepRows.flatMap(({ name: row, left }) => {
          const found = find(result, `${row}/${method}`);
          return found ? [[left, found.value] as const] : [];
        }),
      })),
      {
        name: 'Unpruned',
        dashed: true,
        points: ends.map((end) => [end, unpruned?.value ?? Number.NaN] as const),
      },
    ],
  };
}

const titles: ReadonlyMap<string, string> = new Map([
  ...singleRows.map((row) => [row.name, singleTitle(row)] as const),
  [restartCase, 'the fewest units that do'] as const,
  ['deep/unpruned', '60-45-30, not pruned'] as const,
  ['deep/paper-counts', '60-45-30, the paper’s counts by its rule'] as const,
  ['deep/paper-threshold', '60-45-30, the paper’s threshold by its rule'] as const,
  ...deepRows.flatMap(({ name, left }) => [
    [`${name}/sensitivity`, `60-45-30, ${left} neurons left by sensitivity`] as const,
    [`${name}/from-scratch`, `${left} neurons from scratch`] as const,
  ]),
]);

/** Curves and confusion of one training of each kind. */
function trainings(records: ReadonlyMap<string, RunRecord>): Section[] {
  return [...titles].flatMap(([name, title]) => {
    const record = records.get(name);
    return record ? [{ heading: `Curves and confusion: ${title}`, blocks: blocksOf(title, record) }] : [];
  });
}

/** Points in one curve: more only make the page larger. */
const MOST_POINTS = 100;

function blocksOf(title: string, record: RunRecord): Block[] {
  const epochs = record.filter((event): event is EpochEvent => event.type === 'epoch');
  const every = Math.ceil(epochs.length / MOST_POINTS);
  const drawn = epochs.filter((_, i) => i % every === 0 || i === epochs.length - 1);
  const marks = record
    .filter((event): event is PruneEvent => event.type === 'prune')
    .filter((_, i, all) => i === 0 || i === all.length - 1)
    .map(({ epoch }, i) => ({ x: epoch, label: i === 0 ? 'first pruning' : 'last' }));
  const curve = (name: string, pick: (event: EpochEvent) => number | undefined, dashed = false) => ({
    name,
    dashed,
    points: drawn.map((event) => [event.epoch, pick(event) ?? Number.NaN] as const),
  });
  const chart = (what: string, y: LineChart['y'], series: LineChart['series']): Block => ({
    chart: { title: `${what}: ${title}`, x: { name: 'epoch', min: 0 }, y, series, marks, height: 240 },
  });
  const ends = [drawn[0]?.epoch ?? 0, drawn.at(-1)?.epoch ?? 0];
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
  return {
    html: `<details><summary>${heading}</summary><figure><div class="scroll">${drawn}</div></figure></details>`,
  };
}
