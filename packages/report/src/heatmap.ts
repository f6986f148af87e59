import { formatCount, formatPercent } from './format.ts';
import { ellipsis, renderSvg, textWidth } from './svg.ts';
import { color } from './theme.ts';

/** A matrix of counts. */
export interface Heatmap {
  /** Read out to those who can't see the chart; a page shows it as the caption. */
  readonly title: string;
  /** The columns. */
  readonly x: { readonly name: string; readonly labels: readonly string[] };
  /** The rows, from the top. */
  readonly y: { readonly name: string; readonly labels: readonly string[] };
  /** `values[row][column]`. */
  readonly values: readonly (readonly number[])[];
  /** A confusion matrix: the diagonal (right) in one colour, all else (wrong) in another. */
  readonly confusion?: boolean;
}

const [AXIS_NAME, FONT, LONGEST, WIDTH] = [22, 11, 14, 868];

/** Draws a matrix of counts as an SVG that brings its own light and dark colours. */
export const heatmap = (chart: Heatmap): string => {
  const { x, y, values } = chart;
  const size = Math.max(x.labels.length, y.labels.length, 1);
  const rowLabels = AXIS_NAME + longest(y.labels) + 10;
  // Large enough to read, and two small matrices fit side by side on a page.
  const room = Math.floor((WIDTH - rowLabels) / size);
  const wanted = Math.max(size <= 10 ? 34 : 31, widest(values) + 6);
  const cell = Math.max(9, Math.min(wanted, room));
  const cells = values.flatMap((row, at) => row.map((value, column) => ({ row: at, column, value })));
  const drawn = cells.filter(({ value }) => Number.isFinite(value) && value !== 0);
  const turned = longest(x.labels) > cell - 4;
  const top = AXIS_NAME + (turned ? longest(x.labels) + 8 : 20);
  const plot = { width: cell * Math.max(1, x.labels.length), height: cell * Math.max(1, y.labels.length) };
  const strengthOf = strengths(chart);
  const option = {
    grid: { left: rowLabels, top, ...plot, outerBoundsMode: 'none' },
    xAxis: {
      ...category(x, cell),
      position: 'top',
      nameGap: top - 12,
      axisLabel: { ...labels(cell), rotate: turned ? -90 : 0 },
    },
    yAxis: { ...category(y, cell), inverse: true, nameGap: rowLabels - 12, axisLabel: labels(cell) },
    series: [
      {
        type: 'custom',
        silent: true,
        data: drawn.map(({ row, column, value }) => [column, row, value]),
        encode: { x: 0, y: 1 },
        renderItem: ({ dataIndex }: { dataIndex: number }, api: { coord(at: number[]): number[] }) => {
          const { row, column, value } = drawn[dataIndex]!;
          const [cx, cy] = api.coord([column, row]) as [number, number];
          const rect = {
            x: cx - cell / 2 + 1,
            y: cy - cell / 2 + 1,
            width: cell - 2,
            height: cell - 2,
            r: 2,
          };
          const right = chart.confusion !== true || row === column;
          const style = { fill: color(right ? 's1' : 's2'), opacity: 0.1 + 0.45 * strengthOf(row, column) };
          return {
            type: 'group',
            children: [
              { type: 'rect', shape: rect, style },
              ...(cell < 20 ? [] : [count(value, cx, cy, cell)]),
            ],
          };
        },
      },
    ],
  };
  return renderSvg(option, {
    width: Math.ceil(rowLabels + plot.width + 4),
    height: Math.ceil(top + plot.height + 4),
    label: `${chart.title}. Matrix of ${y.labels.length} rows (${y.name}) by ${x.labels.length} columns (${x.name}).`,
    tip: (_, item) => {
      const at = drawn[item];
      if (at === undefined) return undefined;
      const [row, column] = [y.labels[at.row] ?? at.row, x.labels[at.column] ?? at.column];
      return `${y.name} ${row}, ${x.name} ${column}: ${formatCount(at.value)} (${formatPercent(at.value / total(values[at.row]!))} of the row)`;
    },
  });
};

const widest = (values: Heatmap['values']): number =>
  values.flat().reduce((most, value) => Math.max(most, textWidth(formatCount(value), FONT)), 0);

const longest = (texts: readonly string[]): number =>
  texts.reduce((widest, text) => Math.max(widest, textWidth(ellipsis(text, LONGEST), FONT)), 0);

const total = (row: readonly number[]): number => row.reduce((sum, value) => sum + value, 0);

/**
 * 0 to 1 for each cell. Errors are few beside what is right: each kind has its own scale, by share of the row,
 * or the errors, which are what one looks for, would all be invisible.
 */
const strengths = ({ values, confusion }: Heatmap): ((row: number, column: number) => number) => {
  if (!confusion) {
    const most = values.flat().reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    return (row, column) => Math.abs(values[row]![column]!) / most;
  }
  const share = (row: number, column: number): number => values[row]![column]! / total(values[row]!);
  const errors = values.flatMap((row, at) =>
    row.map((value, column) => (value && at !== column ? share(at, column) : 0)),
  );
  const worst = errors.reduce((a, b) => Math.max(a, b), 0);
  return (row, column) => (row === column ? share(row, column) : Math.sqrt(share(row, column) / worst));
};

const count = (value: number, x: number, y: number, cell: number): object => {
  const text = formatCount(value);
  const fontSize = Math.max(6, Math.min(FONT + 1, (cell - 5) / (text.length * 0.6)));
  const style = {
    text,
    x,
    y,
    fontSize,
    fill: color('ink'),
    textAlign: 'center',
    textVerticalAlign: 'middle',
  };
  return { type: 'text', style };
};

const category = ({ name, labels: texts }: Heatmap['x'], cell: number): object => ({
  type: 'category',
  // Category names that repeat would fall into one: the index is the category, the name only its label.
  data: texts.map((text, index) => ({ value: `${index}:${ellipsis(text, LONGEST)}` })),
  name,
  nameLocation: 'middle',
  nameTextStyle: { color: color('muted'), fontSize: FONT + 1 },
  axisLine: { show: false },
  axisTick: { show: false },
  splitLine: { show: cell >= 14, interval: 0, lineStyle: { color: color('line') } },
});

const labels = (cell: number): object => ({
  color: color('ink'),
  fontSize: FONT,
  margin: 6,
  interval: cell >= 14 ? 0 : 'auto',
  formatter: (text: string) => text.slice(text.indexOf(':') + 1),
});
