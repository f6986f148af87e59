import Table from 'cli-table3';
import picocolors from 'picocolors';
import { MISSING } from './format.ts';
import { type Column, cellText } from './html.ts';

/** A table for the terminal. */
export interface TerminalTable {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (string | number | null)[])[];
  /** Colours. By default on where the terminal has them and NO_COLOR is not set. */
  readonly color?: boolean;
  /** The most characters a line may take. Defaults to 80. */
  readonly width?: number;
}

const GAP = 2;
const NARROWEST = 6;

const blank = Object.fromEntries(
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle'
    .split(' ')
    .map((name) => [name, '']),
);

/** Renders a table without borders: headings over a rule, numbers to the right, long text cut to fit. */
export const terminalTable = ({ columns, rows, color, width = 80 }: TerminalTable): string => {
  const { bold, dim } = picocolors.createColors(color ?? picocolors.isColorSupported);
  const texts = rows.map((row) =>
    row.map((cell, i) => (cell === null ? MISSING : plain(cellText(cell, columns[i]?.digits)))),
  );
  const heads = columns.map(({ name }) => plain(name));
  const widths = fit(
    columns.map((_, i) => Math.max(...[heads, ...texts].map((row) => [...(row[i] ?? '')].length))),
    columns,
    width,
  );
  const table = new Table({
    chars: blank,
    style: { 'padding-left': 0, 'padding-right': GAP, head: [], border: [], compact: true },
    colWidths: widths.map((size) => size + GAP),
    colAligns: columns.map(({ numeric }) => (numeric ? 'right' : 'left')),
  });
  table.push(
    heads.map((text) => dim(text)),
    widths.map((size) => dim('─'.repeat(size))),
    ...texts.map((row) => row.map((text, i) => (columns[i]?.strong ? bold(text) : text))),
  );
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
};

/** Takes what is too much from the widest column of text, as figures that are cut would be wrong. */
const fit = (natural: readonly number[], columns: readonly Column[], width: number): number[] => {
  const widths = [...natural];
  const excess = (): number => widths.reduce((sum, size) => sum + size + GAP, -GAP) - width;
  while (excess() > 0) {
    const texts = widths.map((size, i) => (columns[i]?.numeric ? 0 : size));
    const widest = texts.indexOf(Math.max(...texts));
    if (texts[widest]! <= NARROWEST) break;
    widths[widest] = Math.max(NARROWEST, widths[widest]! - excess());
  }
  return widths;
};

/** Text on one line, without control characters: a layer's name must not be able to steer the terminal. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
