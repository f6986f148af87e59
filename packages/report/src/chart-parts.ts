import type { Mark, Series } from './line-chart.ts';
import { ellipsis, textWidth } from './svg.ts';
import { color } from './theme.ts';

/** The size of a chart's text. */
export const FONT = 12;
const LEGEND_ROW = 22;
const [KEY, GAP] = [30, 18];

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

/**
 * The names of the series. One legend each, in its place: ECharts, not knowing the reader's font, would set them
 * too close, and several rows too far apart.
 */
export const legendOf = (series: readonly Series[], width: number): { height: number; options: object[] } => {
  if (series.length < 2) return { height: 0, options: [] };
  const longest = Math.floor(width / 14);
  let [left, row] = [0, 0];
  const options = series.map(({ name }) => {
    const size = KEY + textWidth(ellipsis(name, longest), FONT);
    if (left > 0 && left + size > width) [left, row] = [0, row + 1];
    const place = { left, top: row * LEGEND_ROW };
    left += size + GAP;
    return {
      ...place,
      data: [name],
      padding: [2, 0],
      itemWidth: 25,
      itemHeight: 8,
      selectedMode: false,
      formatter: (text: string) => ellipsis(text, longest),
      textStyle: { color: color('ink'), fontSize: FONT },
    };
  });
  return { height: (row + 1) * LEGEND_ROW, options };
};
