import type { Mark, Series } from './line-chart.ts';
import { ellipsis, textWidth } from './svg.ts';
import { color } from './theme.ts';

/** The size of a chart's text. */
export const FONT = 12;
const LEGEND_ROW = 22;
/** Wide: ECharts measures text for a narrower font than some readers have. */
const ITEM_GAP = 28;

/** A mark with the place of its label. */
export interface LabelledMark extends Mark {
  readonly shown: boolean;
  readonly align: 'left' | 'center' | 'right';
}

/** Labels the marks that have room beside one another. */
export const labelledMarks = (
  marks: readonly Mark[],
  low: number,
  high: number,
  width: number,
): LabelledMark[] => {
  let free = Number.NEGATIVE_INFINITY;
  const placed = marks.map((mark): LabelledMark => {
    const at = high > low ? 48 + ((mark.x - low) / (high - low)) * (width - 66) : 48;
    const size = textWidth(mark.label, 11);
    const align = at + size / 2 > width ? 'right' : at - size / 2 < 40 ? 'left' : 'center';
    const from = align === 'left' ? at : align === 'right' ? at - size : at - size / 2;
    const shown = from > free + 8 && from >= 0;
    if (shown) free = from + size;
    return { ...mark, shown, align };
  });
  // With few labels among many lines nobody could tell which is whose.
  const enough = placed.filter(({ shown }) => shown).length * 2 >= placed.length;
  return enough ? placed : placed.map((mark) => ({ ...mark, shown: false }));
};

/** The marks as ECharts draws them. */
export const markLine = (marks: readonly LabelledMark[]): object => ({
  symbol: 'none',
  silent: true,
  lineStyle: { color: color('muted'), type: [2, 3], width: 1 },
  data: marks.map(({ x, label: text, shown, align }) => ({
    xAxis: x,
    label: {
      show: shown,
      formatter: () => text,
      position: 'end',
      distance: 4,
      align,
      color: color('muted'),
      fontSize: 11,
      textBorderWidth: 0,
    },
  })),
});

/** The names of the series. One legend a row: ECharts would set the rows as far apart as the items. */
export const legendOf = (series: readonly Series[], width: number): { height: number; options: object[] } => {
  if (series.length < 2) return { height: 0, options: [] };
  const longest = Math.floor(width / 14);
  const rows: string[][] = [];
  let used = width;
  for (const { name } of series) {
    const size = 30 + textWidth(ellipsis(name, longest), FONT) + ITEM_GAP;
    if (used + size > width + ITEM_GAP || rows.length === 0) rows.push([]);
    used = rows.at(-1)!.length === 0 ? size : used + size;
    rows.at(-1)!.push(name);
  }
  const options = rows.map((data, row) => ({
    data,
    left: 0,
    top: row * LEGEND_ROW,
    padding: [2, 0],
    itemGap: ITEM_GAP,
    itemWidth: 25,
    itemHeight: 8,
    selectedMode: false,
    formatter: (name: string) => ellipsis(name, longest),
    textStyle: { color: color('ink'), fontSize: FONT },
  }));
  return { height: rows.length * LEGEND_ROW, options };
};
