import { Tinypool } from 'tinypool';

/** What {@link workerPool} takes. */
export interface WorkerPoolArgs {
  /** A new thread, with a TensorFlow.js of its own, for each job. Default true. */
  readonly isolate?: boolean;
}

/** Threads that run the `worker` module of one benchmark. */
export function workerPool(
  benchmark: string,
  workers: number,
  { isolate = true }: WorkerPoolArgs = {},
): Tinypool {
  const built = import.meta.url.endsWith('.ts') ? '../dist/' : './';
  return new Tinypool({
    filename: new URL(`${built}${benchmark}/worker.js`, import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    isolateWorkers: isolate,
    // workers run what was built, whatever this process resolves
    execArgv: [],
  });
}
