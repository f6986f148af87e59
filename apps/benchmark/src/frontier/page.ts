import { type Column, htmlTable, type LineChart, type Page, terminalTable } from '@espalier/report';
import { metaOf, type Result, type Row } from '../benchmark.ts';
import { compensations, criteria, methods, nameOf } from './methods.ts';

const titles: Readonly<Record<string, string>> = {
  lenet: 'LeNet 10-20-50 on MNIST',
  letters: '60-45-30 on letters',
};

const axes = [
  { metric: 'params', name: 'Parameters left' },
  { metric: 'macs', name: 'Multiply-adds left' },
  { metric: 'units', name: 'Units left' },
] as const;

/** What a result says, by case and metric. */
class Figures {
  readonly #rows: ReadonlyMap<string, Row>;

  constructor({ rows }: Result) {
    this.#rows = new Map(rows.map((row) => [`${row.case} ${row.metric}`, row]));
  }

  find(name: string, metric: Row['metric']): Row | undefined {
    return this.#rows.get(`${name} ${metric}`);
  }

  /** The sizes that a net was pruned to, the largest first. */
  sizes(net: string): string[] {
    const inCase = new RegExp(`^${net}/(\\d+-percent)/`);
    return [...new Set([...this.#rows.keys()].flatMap((key) => inCase.exec(key)?.[1] ?? []))];
  }

  /** A method's curve, from the whole net on. */
  curve(net: string, method: string, metric: Row['metric']): [number, number][] {
    return [`${net}/unpruned`, ...this.sizes(net).map((size) => `${net}/${size}/${method}`)].flatMap(
      (name) => {
        const [x, y] = [this.find(name, metric), this.find(name, 'accuracy')];
        return x && y ? [[x.value, y.value] as [number, number]] : [];
      },
    );
  }
}

const netsIn = ({ rows }: Result): string[] =>
  Object.keys(titles).filter((net) => rows.some((row) => row.case === `${net}/unpruned`));

export const terminalOf = (result: Result): string => {
  const tables = netsIn(result).map(
    (net) => `${titles[net]}\n\n${terminalTable({ ...tableOf(result, net), width: 150 })}`,
  );
  const wide = wideTable(result);
  return [
    ...tables,
    ...(wide.rows.length > 0 ? [`Letters, 200 epochs\n\n${terminalTable({ ...wide, width: 150 })}`] : []),
  ].join('\n\n');
};

export const pageOf = (result: Result): Page => ({
  title: 'How small, and how good?',
  intro:
    'Test accuracy of nets of which parameters were taken by every criterion with every compensation, without further training: ' +
    `all layers ranked together, the least units that leave so many parameters; means of ${result.environment.seeds} trainings. ` +
    'What is called best had the best accuracy on validation data at its size.',
  meta: metaOf(result.environment),
  sections: [
    ...netsIn(result).map((net) => ({
      heading: titles[net]!,
      blocks: [
        ...axes.map((axis) => ({ chart: overall(result, net, axis) })),
        ...Object.keys(compensations).flatMap((compensation) => {
          const chart = byCriterion(result, net, compensation);
          return chart.series.length > 1 ? [{ chart }] : [];
        }),
        {
          table: htmlTable({
            caption: 'Test accuracy in percent, by the parameters left',
            ...tableOf(result, net),
          }),
        },
      ],
    })),
    {
      heading: 'A wide net, pruned to the size of a narrow one',
      intro:
        'Letters: 60-45-30 from scratch, and 180-135-90 pruned to its parameters, trained for the same 200 epochs.',
      table: htmlTable({ caption: 'Accuracies in percent', ...wideTable(result) }),
    },
  ],
});

/** What each compensation comes to with the criterion that suits it, and the best of all, against one measure. */
function overall(result: Result, net: string, { metric, name }: (typeof axes)[number]): LineChart {
  const figures = new Figures(result);
  const series = Object.keys(criteria).map((criterion) => ({
    name: criterion,
    points: figures.curve(net, `${criterion}-refit`, metric),
  }));
  return {
    title: `${titles[net]}: accuracy against ${name.toLowerCase()}, refitted by least squares; the best of all methods dashed`,
    x: { name },
    y: { name: 'Test accuracy, %' },
    series: [...series, { name: 'best', points: figures.curve(net, 'best', metric), dashed: true }],
  };
}

/** All criteria with one compensation. */
function byCriterion(result: Result, net: string, compensation: string): LineChart {
  const figures = new Figures(result);
  return {
    title: `${titles[net]}: ${compensation === 'none' ? 'no compensation' : `compensation ${compensation}`}`,
    x: { name: 'Parameters left' },
    y: { name: 'Test accuracy, %', min: 0, max: 100 },
    series: methods
      .filter((method) => method.compensation === compensation)
      .map((method) => ({ name: method.criterion, points: figures.curve(net, nameOf(method), 'params') })),
  };
}

interface Table {
  readonly columns: Column[];
  readonly rows: string[][];
}

function tableOf(result: Result, net: string): Table {
  const figures = new Figures(result);
  const sizes = figures.sizes(net);
  const shown = (name: string): string => figures.find(name, 'accuracy')?.value.toFixed(1) ?? '–';
  const params = [
    'params left',
    ...sizes.map((size) => Math.round(figures.find(`${net}/${size}/best`, 'params')?.value ?? 0)),
  ];
  return {
    columns: [
      { name: 'Method' },
      ...sizes.map((size) => ({ name: size.replace('-percent', '%'), numeric: true })),
    ],
    rows: [
      ...methods.map((method) => [
        `${method.criterion}, ${method.compensation}`,
        ...sizes.map((size) => shown(`${net}/${size}/${nameOf(method)}`)),
      ]),
      ['best on validation data', ...sizes.map((size) => shown(`${net}/${size}/best`))],
      ['which is', ...sizes.map((size) => figures.find(`${net}/${size}/best`, 'accuracy')?.note ?? '–')],
      params.map(String),
    ],
  };
}

function wideTable(result: Result): Table {
  const figures = new Figures(result);
  const shown = (name: string, metric: string, digits: number): string => {
    const row = figures.find(name, metric);
    if (!row) return '–';
    return (
      row.value.toFixed(digits) +
      (row.spread === undefined || digits === 0 ? '' : ` ±${row.spread.toFixed(2)}`)
    );
  };
  const lines = [
    ['60-45-30 from scratch', 'letters-wide/from-scratch'],
    ['180-135-90, pruned', 'letters-wide/pruned'],
  ] as const;
  return {
    columns: [
      { name: 'Net' },
      { name: 'parameters', numeric: true },
      { name: 'validation', numeric: true },
      { name: 'test', numeric: true },
    ],
    rows: lines.flatMap(([name, at]) =>
      figures.find(at, 'accuracy')
        ? [[name, shown(at, 'params', 0), shown(at, 'validation', 2), shown(at, 'accuracy', 2)]]
        : [],
    ),
  };
}
