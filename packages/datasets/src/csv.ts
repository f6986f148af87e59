import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { CsvError, type InfoRecord } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import type { Dataset, Part } from './dataset.ts';
import { fail } from './errors.ts';
import { type SplitOptions, splitRows, standardize } from './tabular.ts';

/** What {@link csv} takes. */
export interface CsvOptions extends SplitOptions {
  /** The column of the classes, by its name or its place (from 0). Default: the last. */
  readonly label?: string | number;
  /** Whether the first row names the columns. Default: it does if none of its features is a number. */
  readonly header?: boolean;
  /** Default ','. */
  readonly delimiter?: string;
}

/** One row of the file and the line on which it ends. */
interface Row {
  readonly cells: readonly string[];
  readonly line: number;
}

const missing = new Set(['', '?', 'na', 'n/a', 'nan', 'null', 'none']);
const isMissing = (cell: string): boolean => missing.has(cell.toLowerCase());
const isNumber = (cell: string): boolean => cell !== '' && Number.isFinite(Number(cell));

const readRows = (text: string, file: string, delimiter: string): Row[] => {
  try {
    const options = {
      bom: true,
      delimiter,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    };
    const parsed = parse(text, options) as unknown as { record: string[]; info: InfoRecord }[];
    return parsed.map(({ record, info }) => ({ cells: record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return fail(
      `${file} is not well-formed: ${error.message}. Quote a cell as "..." and a quote in it as ""`,
    );
  }
};

/** The place of the label column; digits are a place where no column has them for a name. */
const labelColumn = (label: string | number | undefined, names: readonly string[], file: string): number => {
  if (label === undefined) return names.length - 1;
  const named = names.indexOf(String(label));
  if (named >= 0 && typeof label === 'string') return named;
  const place = /^\d+$/.test(String(label)) ? Number(label) : -1;
  if (place >= 0 && place < names.length) return place;
  return fail(
    `${file} has no column '${label}'. Set label to one of: ${names.join(', ')}; or 0 to ${names.length - 1}`,
  );
};

const places = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

/** Numbers come in their own order, other labels in that of their characters. */
const sortClasses = (labels: ReadonlySet<string>): string[] => {
  const classes = [...labels];
  return classes.every(isNumber) ? classes.sort((a, b) => Number(a) - Number(b)) : classes.sort();
};

/** Reads a table: numeric features and a column of classes. */
export const parseTable = (
  text: string,
  file: string,
  { label, header, delimiter = ',' }: CsvOptions = {},
): { table: Part; classes: readonly string[] } => {
  const rows = readRows(text, file, delimiter);
  const [first] = rows;
  if (first === undefined) return fail(`${file} holds no rows`);
  const width = first.cells.length;
  if (width < 2) {
    fail(
      `${file}:${first.line} has 1 column, expected features and a label. Set delimiter if it is not '${delimiter}'`,
    );
  }
  const unnamed =
    typeof label === 'string' && !/^\d+$/.test(label) ? undefined : labelColumn(label, places(width), file);
  // A label that is given by its name needs a first row of names.
  const hasHeader =
    header ??
    (unnamed === undefined ||
      first.cells.every((cell, i) => i === unnamed || !(isNumber(cell) || isMissing(cell))));
  const names = hasHeader ? first.cells : places(width);
  const column = labelColumn(label, names, file);

  const body = hasHeader ? rows.slice(1) : rows;
  if (body.length === 0) fail(`${file} holds a header and no rows`);
  const x = new Float32Array(body.length * (width - 1));
  let at = 0;
  for (const { cells, line } of body) {
    if (cells.length !== width) {
      fail(
        `${file}:${line} has ${cells.length} columns, expected ${width} as in line ${first.line}. Mend or remove it`,
      );
    }
    for (const [i, cell] of cells.entries()) {
      const where = `${file}:${line}, column '${names[i]}'`;
      if (isMissing(cell)) fail(`${where}: a missing value ('${cell}'). Fill it in or remove the row`);
      if (i === column) continue;
      if (!isNumber(cell))
        fail(`${where}: '${cell}' is not a number. Encode it as numbers or remove the column`);
      x[at++] = Number(cell);
    }
  }
  const given = body.map(({ cells }) => cells[column]!);
  const classes = sortClasses(new Set(given));
  if (classes.length < 2 || classes.length > body.length / 2) {
    fail(
      `${file} has ${classes.length} different values in ${body.length} rows of its label column '${names[column]}', ` +
        'which is no set of classes. Set label to the column of the classes',
    );
  }
  const index = new Map(classes.map((name, i) => [name, i]));
  return {
    table: { x, labels: Int32Array.from(given, (name) => index.get(name)!), rows: body.length },
    classes,
  };
};

/**
 * A table of your own: numeric features and a column of classes, shuffled, split and z-scored on the training
 * part.
 *
 * ```ts
 * const data = await csv('iris.csv', { label: 'species' });
 * ```
 */
export const csv = async (path: string, options: CsvOptions = {}): Promise<Dataset> => {
  const text = await readFile(path, 'utf8').catch((error: Error) =>
    fail(`cannot read ${path}: ${error.message}`),
  );
  const { table, classes } = parseTable(text, path, options);
  return {
    name: basename(path),
    task: 'classification',
    classes,
    inputShape: [table.x.length / table.rows],
    ...standardize(splitRows(table, options)),
    note: `from ${basename(path)}`,
  };
};
