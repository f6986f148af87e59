import { Tinypool } from 'tinypool';
import type { BenchmarkOptions } from './benchmark.ts';

/** What {@link workerPool} takes. */
export interface WorkerPoolArgs {
  /** A new thread, with a TensorFlow.js of its own, for each job. Default true. */
  readonly isolate?: boolean;
}

/** The URL of one of this app's modules, named without its extension, as it was built: whoever else runs it has no sources. */
export function builtModule(name: string): string {
  const built = import.meta.url.endsWith('.ts') ? '../dist/' : './';
  return new URL(`${built}${name}.js`, import.meta.url).href;
}

/** Threads that run the `worker` module of one benchmark. */
export function workerPool(
  benchmark: string,
  workers: number,
  { isolate = true }: WorkerPoolArgs = {},
): Tinypool {
  return new Tinypool({
    filename: builtModule(`${benchmark}/worker`),
    minThreads: workers,
    maxThreads: workers,
    isolateWorkers: isolate,
    // workers run what was built, whatever this process resolves
    execArgv: [],
  });
}

/** How {@link runJobs} goes about it. */
export interface RunJobsArgs<Job, Measured>
  extends WorkerPoolArgs,
    Pick<BenchmarkOptions, 'workers' | 'log'> {
  readonly benchmark: string;
  /** What the log says of a job that is done. */
  readonly describe: (job: Job, measured: Measured) => string;
}

/**
 * Has jobs carried out by the `worker` module of a benchmark, each stage once the one before is done. The answers are in
 * the order of the jobs.
 *
 * @throws if a job does.
 */
export async function runJobs<Job, Measured>(
  stages: readonly (readonly Job[])[],
  { benchmark, workers, log, describe, ...args }: RunJobsArgs<Job, Measured>,
): Promise<Measured[]> {
  const pool = workerPool(benchmark, workers, args);
  const total = stages.flat().length;
  let done = 0;
  const run = async (job: Job): Promise<Measured> => {
    const measured = (await pool.run(job)) as Measured;
    log(`${describe(job, measured)} (${++done} of ${total})`);
    return measured;
  };
  const found: Measured[] = [];
  try {
    for (const jobs of stages) found.push(...(await Promise.all(jobs.map(run))));
    return found;
  } finally {
    await pool.destroy();
  }
}
