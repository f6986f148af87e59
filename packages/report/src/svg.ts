import { CustomChart, LineChart } from 'echarts/charts';
import { GraphicComponent, GridComponent, LegendComponent, MarkLineComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { escapeHtml } from './escape.ts';
import { colorRulesFor, fonts } from './theme.ts';

use([
  CustomChart,
  LineChart,
  GraphicComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  SVGRenderer,
]);

interface SvgArgs {
  readonly width: number;
  readonly height: number;
  /** What a reader who can't see the chart is told. */
  readonly label: string;
  /** What hovering a drawn item shows. */
  readonly tip: (series: number, item: number) => string | undefined;
}

/** Draws an ECharts option without a browser, as an SVG that brings its own light and dark colours. */
export const renderSvg = (option: EChartsCoreOption, args: SvgArgs): string => {
  const { width, height, label, tip } = args;
  const chart = init(null, undefined, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, backgroundColor: 'transparent', ...option });
    const body = tidy(chart.renderToSVGString(), tip);
    const style = `${colorRulesFor(body, '.e-chart')}.e-chart text{font-family:${fonts}}`;
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" class="e-chart" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(label)}">` +
      `<style>${style}</style>${body}</svg>`
    );
  } finally {
    chart.dispose();
  }
};

// ECharts leaves hooks for a script that would bring the chart to life. Ours stands alone: the hooks become
// native tooltips, the rest goes. Its identifiers count up through the process; a digest of the drawing makes
// them the same on every run and distinct on a page. Text can't match: ECharts has escaped its quotes.
const tidy = (svg: string, tip: SvgArgs['tip']): string => {
  const body = svg
    .replace(/^<svg[^>]*>/, '')
    .replace(/<\/svg>\s*$/, '')
    .replace(/<style\s*>[\s\S]*?<\/style>/, '')
    .replace(/<(path|rect)( [^>]*)><\/\1>/g, (_, tag: string, attributes: string) => {
      const [, series, item] =
        /ecmeta_series_index="(\d+)" ecmeta_data_index="(\d+)" ecmeta_ssr_type="chart"/.exec(attributes) ??
        [];
      const text = series === undefined ? undefined : tip(Number(series), Number(item));
      const kept = attributes.replace(/ (class|ecmeta_\w+|pointer-events)="[^"]*"/g, '');
      return text === undefined
        ? `<${tag}${kept}/>`
        : `<${tag}${kept}><title>${escapeHtml(text)}</title></${tag}>`;
    })
    .replace(/font-family:[^;"]*;/g, '')
    .replace(/ xml:space="preserve"/g, '')
    .replace(/\n+/g, '');
  const anonymous = body.replace(/zr\d+-c/g, 'zr-c');
  return anonymous.replace(/zr-c/g, `e${digest(anonymous)}-`);
};

/** FNV-1a, 32 bits. */
const digest = (text: string): string => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36);
};

/** About how wide text is; generous, since what is estimated here must not overlap. */
export const textWidth = (text: string, size: number): number => [...text].length * size * 0.6;

/** Cuts text to at most `length` characters. */
export const ellipsis = (text: string, length: number): string => {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
};
