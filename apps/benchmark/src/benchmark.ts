import { cpus } from 'node:os';
import { useEngine } from '@espalier/engine';
import type { Page } from '@espalier/report';
import type { RunRecord } from '@espalier/trainer';

/** One figure of a benchmark. */
export interface Row {
  /** A path of lower-case words: `net1/158-of-320/angle-add`. */
  readonly case: string;
  /** One word: `accuracy` (in percent), `units`, `seconds`, `ratio`, ... */
  readonly metric: string;
  readonly value: number;
  /** The standard deviation over seeds. */
  readonly spread?: number;
  /** The paper's or a peer's figure. */
  readonly reference?: number;
  /** What ours should be at least; of errors and overheads, at most. */
  readonly target?: number;
  readonly meets?: boolean;
  /** What a reader should know of this figure, in a few words. */
  readonly note?: string;
}

/** What every benchmark prints with `--json`. */
export interface Result {
  readonly name: string;
  readonly environment: Readonly<Record<string, string | number | boolean>>;
  readonly rows: readonly Row[];
  /** Trainings by case, whose curves the page draws; no part of what is printed. */
  readonly records?: ReadonlyMap<string, RunRecord>;
}

export interface BenchmarkOptions {
  /** A short form, whose figures say less. */
  readonly quick: boolean;
  readonly seeds: readonly number[];
  /** How many trainings run at once, each on a core of its own. */
  readonly workers: number;
  /** Where results go and trained nets are kept for the next time. */
  readonly out: string;
  readonly engine: 'auto' | 'tensorflow' | 'wasm' | 'cpu';
  /** Told of progress, a line at a time. */
  readonly log: (line: string) => void;
}

export interface Benchmark {
  readonly name: string;
  /** One line for `--help`. */
  readonly description: string;
  run(options: BenchmarkOptions): Promise<Result>;
  /** The tables for a terminal. */
  terminal(result: Result): string;
  page(result: Result): Page;
}

/** The row of a case and a metric, if there is one. */
export const find = ({ rows }: Result, name: string, metric = 'accuracy'): Row | undefined =>
  rows.find((row) => row.case === name && row.metric === metric);

/** What a reader needs to know of the machine. */
export async function environmentOf(
  options: BenchmarkOptions,
): Promise<Record<string, string | number | boolean>> {
  const engine = await useEngine(options.engine);
  return {
    engine: `${engine.name} ${engine.version}`,
    node: process.version,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    workers: options.workers,
    seeds: options.seeds.length,
    quick: options.quick,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** An environment in a line, for a page's head. */
export const metaOf = (environment: Result['environment']): string =>
  Object.entries(environment)
    .map(([key, value]) => `${key}: ${value}`)
    .join(' · ');

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Of a sample; 0 for a single value. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(values.reduce((total, value) => total + (value - middle) ** 2, 0) / (values.length - 1));
}

/** One row for all seeds' measurements of one thing. */
export function rowOf(
  name: string,
  metric: string,
  values: readonly number[],
  {
    reference,
    target,
  }: { readonly reference?: number | undefined; readonly target?: number | undefined } = {},
): Row {
  const value = mean(values);
  return {
    case: name,
    metric,
    value,
    ...(values.length > 1 && { spread: deviation(values) }),
    ...(reference !== undefined && { reference }),
    ...(target !== undefined && { target, meets: value >= target }),
  };
}
