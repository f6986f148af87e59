import { escapeHtml } from './escape.ts';
import { formatNumber } from './format.ts';
import { type Heatmap, heatmap } from './heatmap.ts';
import { type Cell, cellHtml, type HtmlTable, htmlTable, type Markup } from './html.ts';
import { type LineChart, lineChart } from './line-chart.ts';
import { styles } from './styles.ts';

/** A piece of a section. Strings in `html`, `table` and `chart` are markup, ready made. */
export type Block =
  | { readonly text: string }
  | Markup
  | { readonly table: HtmlTable | string }
  | { readonly chart: LineChart | Heatmap | string };

/** A section of a page: a heading over one piece, or over several. */
export type Section = {
  readonly heading: string;
  /** A sentence under the heading. */
  readonly intro?: string;
} & (Block | { readonly blocks: readonly Block[] });

/** A page. */
export interface Page {
  readonly title: string;
  /** A sentence or two under the title. */
  readonly intro?: string | Markup;
  /** A quiet line between the title and the intro. */
  readonly meta?: string;
  /** Markup between the intro and the first section. */
  readonly lead?: Markup;
  readonly sections: readonly Section[];
}

/** Renders a whole HTML page: one file, no script, nothing fetched, light and dark, printable. */
export const renderPage = ({ title, intro, meta, lead, sections }: Page): string => {
  const anchors = sections.map((section, index) => ({ ...section, anchor: `section-${index + 1}` }));
  const links = anchors.map(
    ({ anchor, heading }) => `<li><a href="#${anchor}">${escapeHtml(heading)}</a></li>`,
  );
  const body = anchors.map(
    (section) => `<section id="${section.anchor}" aria-labelledby="${section.anchor}-heading">
<h2 id="${section.anchor}-heading">${escapeHtml(section.heading)}</h2>
${section.intro ? `<p>${escapeHtml(section.intro)}</p>\n` : ''}${('blocks' in section ? section.blocks : [section]).map(blockHtml).join('\n')}
</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${styles}</style>
</head>
<body>
<header>
<div class="brand">${mark}Espalier</div>
<h1>${escapeHtml(title)}</h1>
${meta ? `<p class="meta">${escapeHtml(meta)}</p>\n` : ''}${intro ? `<p class="intro">${cellHtml(intro)}</p>\n` : ''}${lead?.html ?? ''}
${sections.length > 2 ? `<nav aria-label="Sections"><ul>${links.join('')}</ul></nav>` : ''}
</header>
<main>
${body.join('\n')}
</main>
<footer><p>Made by Espalier. This file is complete in itself: it loads nothing.</p></footer>
</body>
</html>
`;
};

// A tree trained along wires: what an espalier is.
const mark =
  '<svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" aria-hidden="true">' +
  '<path d="M10 19V3M10 16Q4 16 3 11.500M10 16Q16 16 17 11.500M10 10.500Q5.500 10.500 5 6M10 10.500Q14.500 10.500 15 6"/></svg>';

const blockHtml = (block: Block): string => {
  if ('html' in block) return block.html;
  if ('text' in block) return `<p>${escapeHtml(block.text)}</p>`;
  if ('table' in block) return typeof block.table === 'string' ? block.table : htmlTable(block.table);
  if (typeof block.chart === 'string') return `<figure>${block.chart}</figure>`;
  return 'series' in block.chart ? lineFigure(block.chart) : heatmapFigure(block.chart);
};

/** A line chart under its caption, drawn once for wide and once for narrow screens, and its numbers. */
const lineFigure = (chart: LineChart): string => {
  const wide = lineChart({ width: 872, ...chart });
  const narrow = lineChart({ ...chart, width: 368, height: 270 });
  return `<figure><figcaption>${escapeHtml(chart.title)}</figcaption>
<div class="wide">${wide}</div><div class="narrow">${narrow}</div></figure>
<details><summary>Numbers</summary>${htmlTable(numbers(chart))}</details>`;
};

const numbers = ({ title, x, y, series }: LineChart): HtmlTable => {
  const write = (format: LineChart['y']['format'], value: number | undefined): Cell =>
    value === undefined ? null : (format ?? formatNumber)(value);
  const curves = series.map(({ points }) => new Map(points));
  const xs = [...new Set(curves.flatMap((points) => [...points.keys()]))].sort((a, b) => a - b);
  return {
    caption: title,
    columns: [{ name: x.name }, ...series.map(({ name }) => ({ name, numeric: true }))],
    rows: xs.map((at) => [write(x.format, at), ...curves.map((points) => write(y.format, points.get(at)))]),
  };
};

/** A large matrix scrolls sideways rather than shrinking past reading. */
export const heatmapFigure = (chart: Heatmap): string => {
  const drawn = heatmap(chart);
  const scrolls = chart.x.labels.length > 14;
  const name = escapeHtml(chart.title);
  const body = scrolls
    ? `<div class="scroll" role="region" aria-label="${name}" tabindex="0">${drawn}</div>`
    : drawn;
  return `<figure><figcaption>${name}</figcaption>${body}</figure>`;
};
