export { escapeHtml } from './escape.ts';
export {
  formatBytes,
  formatChange,
  formatCount,
  formatMilliseconds,
  formatNumber,
  formatPercent,
  formatSeconds,
} from './format.ts';
export { type Heatmap, heatmap } from './heatmap.ts';
export { type Cell, type Column, type HtmlTable, htmlTable, type Markup } from './html.ts';
export { type Inspection, renderInspection } from './inspection/page.ts';
export { type Axis, type LineChart, lineChart, type Mark, type Series } from './line-chart.ts';
export { type Block, type Page, renderPage, type Section } from './page.ts';
export { parseRecord } from './parse.ts';
export { type HtmlOptions, renderHtml } from './report.ts';
export { noiseTable } from './sections/noise.ts';
export { type Change, headline, type Summary, summarize } from './summary.ts';
export { renderTerminal, type TerminalOptions } from './terminal.ts';
export { type TerminalTable, terminalTable } from './terminal-table.ts';
