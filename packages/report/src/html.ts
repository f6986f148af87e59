import { escapeHtml } from './escape.ts';
import { formatCount, formatNumber, MISSING } from './format.ts';

/** Markup that goes into the page as it is: whoever makes it has escaped what is in it. */
export interface Markup {
  readonly html: string;
}

/** What stands in a table: text is escaped, numbers are formatted, null is a dash. */
export type Cell = string | number | null | Markup;

/** A column of a table, in HTML or in the terminal. */
export interface Column {
  readonly name: string;
  /** Aligned to the right, in figures of equal width. */
  readonly numeric?: boolean;
  /** Decimals of its numbers. By default whole numbers have none, others four digits in all. */
  readonly digits?: number;
  /** Set in bold: what the table is about. */
  readonly strong?: boolean;
  /** Left out on a narrow screen. */
  readonly extra?: boolean;
}

/** A table. */
export interface HtmlTable {
  readonly caption: string;
  readonly columns: readonly Column[];
  /** The first cell of a row is its heading. */
  readonly rows: readonly (readonly Cell[])[];
}

/** Renders text, a number, nothing or ready markup as HTML. */
export const cellHtml = (cell: Cell, digits?: number): string => {
  if (cell === null) return `<span class="none">${MISSING}</span>`;
  return typeof cell === 'object' ? cell.html : escapeHtml(cellText(cell, digits));
};

/** A number as reports write it: with the column's decimals, else whole ones as counts, others to four digits. */
export const cellText = (cell: string | number, digits?: number): string => {
  if (typeof cell === 'string') return cell;
  if (digits !== undefined && Number.isFinite(cell)) return cell.toFixed(digits);
  return Number.isInteger(cell) ? formatCount(cell) : formatNumber(cell);
};

/** Renders a table with a caption, scoped headings and room to scroll sideways on a narrow screen. */
export const htmlTable = ({ caption, columns, rows }: HtmlTable): string => {
  const classes = columns.map(({ numeric, strong, extra }) => {
    const names = [numeric ? 'num' : '', strong ? 'strong' : '', extra ? 'extra' : '']
      .filter(Boolean)
      .join(' ');
    return names && ` class="${names}"`;
  });
  const head = columns.map(({ name }, i) => `<th scope="col"${classes[i]}>${escapeHtml(name)}</th>`).join('');
  const body = rows
    .map((cells) => {
      const row = cells.map((cell, i) =>
        i === 0
          ? `<th scope="row"${classes[i]}>${cellHtml(cell, columns[i]?.digits)}</th>`
          : `<td${classes[i] ?? ''}>${cellHtml(cell, columns[i]?.digits)}</td>`,
      );
      return `<tr>${row.join('')}</tr>`;
    })
    .join('\n');
  return `<div class="scroll" role="region" aria-label="${escapeHtml(caption)}" tabindex="0"><table${columns.length < 3 ? ' class="slim"' : ''}>
<caption>${escapeHtml(caption)}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}
</tbody></table></div>`;
};

/** A bar of what is left of `before`, drawn beside the widest bar's `scale`. Its numbers stand in the table. */
export const bar = (before: number, after: number, scale: number): Markup => {
  const percent = (value: number): string =>
    `${scale > 0 ? Math.min(100, (100 * value) / scale).toFixed(2) : 0}%`;
  const box = `<i style="width:${percent(before)}"></i><b style="width:${percent(after)}"></b>`;
  return { html: `<span class="bar" aria-hidden="true">${box}</span>` };
};

/** `before → after`, or one of them where they are the same. */
export const arrow = (before: string, after: string): Markup => {
  const [from, to] = [escapeHtml(before), escapeHtml(after)];
  return { html: from === to ? to : `<span class="arrow"><span class="was">${from} →</span> ${to}</span>` };
};
