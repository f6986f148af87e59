import { Tinypool } from 'tinypool';

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
