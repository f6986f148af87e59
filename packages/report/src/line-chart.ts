import { FONT, labelledMarks, legendOf, markLine } from './chart-parts.ts';
import { formatNumber } from './format.ts';
import { renderSvg } from './svg.ts';
import { color, seriesTokens } from './theme.ts';

/** An axis of a line chart. */
export interface Axis {
  readonly name: string;
  /** Where the axis starts and ends; by default it fits the data. */
  readonly min?: number;
  readonly max?: number;
  /** The distance between two ticks. */
  readonly step?: number;
  /** How its values are written. Defaults to four significant digits. */
  readonly format?: (value: number) => string;
}

/** One curve. */
export interface Series {
  readonly name: string;
  /** `[x, y]`; the curve is broken where y is not finite. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** For what is in the background, such as training beside validation. */
  readonly dashed?: boolean;
  /** Half the height of a band around each point, e.g. its standard deviation. */
  readonly spread?: readonly number[];
}

/** A vertical line. */
export interface Mark {
  readonly x: number;
  readonly label: string;
}

/** A line chart. */
export interface LineChart {
  /** Read out to those who can't see the chart; a page shows it as the caption. */
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly marks?: readonly Mark[];
  /** Pixels. Defaults to 840. */
  readonly width?: number;
  /** Pixels, to which the legend adds its own. Defaults to 300. */
  readonly height?: number;
}

const plus = 'path://M0,3H3V0H5V3H8V5H5V8H3V5H0Z';
const funnel = 'path://M0,0H8L4,7Z';
const symbols = ['circle', 'rect', 'triangle', 'diamond', funnel, plus];
/** More points than this run into one another as dots. */
const MOST_DOTS = 48;

/** Draws a line chart as an SVG that brings its own light and dark colours. */
export const lineChart = (chart: LineChart): string => {
  const { x, y, marks = [], width = 840, height = 300 } = chart;
  const series = chart.series.map((one) => ({ ...one, name: one.name || 'unnamed' }));
  const places = [
    ...series.flatMap(({ points }) => points.map(([at]) => at)),
    ...marks.map((mark) => mark.x),
  ];
  const xs = places.map(drawable);
  const [low, high] = [x.min ?? least(xs), x.max ?? most(xs)];
  const legend = legendOf(series, width);
  const top = legend.height + 26 + (marks.length > 0 ? 14 : 0);
  const write = y.format ?? formatNumber;
  const labelled = labelledMarks(marks, low, high, width);
  const option = {
    legend: legend.options,
    // Not the axis' own name, which would move about with the width of the tick labels.
    graphic: {
      type: 'text',
      left: 0,
      top: legend.height + 4,
      silent: true,
      style: nameStyle(y.name),
    },
    grid: { left: 4, right: 18, top, bottom: 26, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    xAxis: {
      ...axis,
      type: 'value',
      name: x.name,
      nameLocation: 'middle',
      nameGap: 26,
      min: low,
      // An axis needs some length even when everything is at one place.
      max: high > low ? high : low + 1,
      splitNumber: Math.max(2, Math.floor(width / 90)),
      minInterval: xs.every(Number.isInteger) ? 1 : 0,
      splitLine: { show: false },
      axisLine: { ...axis.axisLine, onZero: false },
      axisLabel: { ...label, hideOverlap: true, formatter: x.format ?? formatNumber },
    },
    yAxis: {
      ...axis,
      type: 'value',
      scale: true,
      ...(y.min === undefined ? {} : { min: y.min }),
      ...(y.max === undefined ? {} : { max: y.max }),
      ...(y.step === undefined ? {} : { interval: y.step }),
      splitNumber: 4,
      axisLine: { show: false },
      axisTick: { show: false },
      // Points need a percentage's decimals, round ticks don't.
      axisLabel: { ...label, formatter: (value: number) => write(value).replace(/\.0+(?=%)/, '') },
    },
    series: [
      ...series.map(curve),
      { type: 'line', data: [], silent: true, markLine: markLine(labelled) },
      ...series.flatMap(band),
    ],
  };
  return renderSvg(option, {
    width,
    height: height + legend.height,
    label: describe(chart, write),
    tip: (index, item) => {
      const point = series[index]?.points[item];
      if (point)
        return `${series[index]!.name}, ${x.name} ${(x.format ?? formatNumber)(point[0])}: ${write(point[1])}`;
      return index === series.length ? marks[item]?.label : undefined;
    },
  });
};

const nameStyle = (text: string): object => ({ text, fill: color('muted'), fontSize: FONT });
const label = { color: color('muted'), fontSize: FONT };
const axis = {
  nameTextStyle: label,
  axisLine: { lineStyle: { color: color('line') } },
  axisTick: { lineStyle: { color: color('line') } },
  splitLine: { lineStyle: { color: color('line') } },
};

const colorOf = (index: number): string => color(seriesTokens[index % seriesTokens.length]!);

// ECharts fails on an axis shorter than floating point can divide; nobody could see the difference.
const drawable = (value: number): number => (Math.abs(value) < 1e-12 ? 0 : Number(value.toPrecision(9)));

const curve = ({ name, points, dashed }: Series, index: number): object => {
  // Past the last colour the first comes again, dotted.
  const again = index >= seriesTokens.length ? 'dotted' : 'solid';
  return {
    type: 'line',
    name,
    data: points.map(([at, value]) => [drawable(at), Number.isFinite(value) ? drawable(value) : '-']),
    color: colorOf(index),
    symbol: symbols[index % symbols.length],
    symbolSize: [6, 6, 8, 9, 7, 8][index % symbols.length],
    showSymbol: points.length <= MOST_DOTS,
    showAllSymbol: true,
    emphasis: { disabled: true },
    lineStyle: { width: 2, type: dashed ? [5, 4] : again },
    z: 3,
  };
};

const band = ({ points, spread }: Series, index: number): object[] => {
  if (spread === undefined) return [];
  const edges = points
    .map(
      ([at, value], i) =>
        [at, drawable(value - (spread[i] ?? 0)), drawable(value + (spread[i] ?? 0))] as const,
    )
    .filter((edge) => edge.every(Number.isFinite));
  return [
    {
      type: 'custom',
      silent: true,
      data: edges,
      encode: { x: 0, y: [1, 2] },
      z: 1,
      // One polygon for the whole band, drawn in place of its first point.
      renderItem: ({ dataIndex }: { dataIndex: number }, api: { coord(at: number[]): number[] }) => {
        if (dataIndex > 0) return undefined;
        const there = edges.map(([at, from]) => api.coord([at, from]));
        const back = edges.map(([at, , to]) => api.coord([at, to])).reverse();
        const style = { fill: colorOf(index), opacity: 0.16 };
        return { type: 'polygon', shape: { points: [...there, ...back] }, style };
      },
    },
  ];
};

const describe = (
  { title, x, y, series, marks = [] }: LineChart,
  write: (value: number) => string,
): string => {
  const curves = series.map(({ name, points }) => {
    const known = points.filter(([, value]) => Number.isFinite(value));
    return known.length === 0
      ? `${name}: no points`
      : `${name} from ${write(known[0]![1])} to ${write(known.at(-1)![1])}`;
  });
  const lines =
    marks.length > 0 ? [`${marks.length} marked: ${marks.map((mark) => mark.label).join(', ')}`] : [];
  return `${title}. Line chart of ${y.name} against ${x.name}. ${[...curves, ...lines].join('; ')}.`;
};

const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), values[0] ?? 0);
const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), values[0] ?? 1);
