import { join } from 'node:path';
import type { BenchmarkOptions } from '../benchmark.ts';
import { type Level, levels, type Method, methods } from './settings.ts';

/** What to measure, whatever the seed. */
export type Task =
  /** The network that all others begin with. */
  | { readonly kind: 'whole' }
  | { readonly kind: 'thinned'; readonly level: Level; readonly method: Method }
  | { readonly kind: 'frontier' };

/** One task with one seed: all that a worker needs to know. */
export interface Job extends Pick<BenchmarkOptions, 'engine' | 'quick'> {
  readonly task: Task;
  readonly seed: number;
  /** The folder that keeps what was trained. */
  readonly cache: string;
}

/** What takes longest first. */
const tasks: readonly Task[] = [
  { kind: 'frontier' },
  ...(Object.keys(levels) as Level[]).flatMap((level) =>
    (Object.keys(methods) as Method[]).map((method): Task => ({ kind: 'thinned', level, method })),
  ),
];

/** Under which name the rows of a task stand. */
export function caseOf(task: Task): string {
  if (task.kind === 'thinned') return `lenet5/${task.level}/${task.method}`;
  return task.kind === 'whole' ? 'lenet5/unpruned' : 'frontier';
}

/** All jobs: whole networks, and what begins with them. */
export function jobsFor({ seeds, quick, engine, out }: BenchmarkOptions): { whole: Job[]; others: Job[] } {
  const jobs = (task: Task): Job[] =>
    seeds.map((seed) => ({ task, seed, quick, engine, cache: join(out, 'nets') }));
  return { whole: jobs({ kind: 'whole' }), others: tasks.flatMap(jobs) };
}
