import { Tinypool } from 'tinypool';

/** Threads that run the `worker` module of one benchmark: a new one, with a TensorFlow.js of its own, for each job. */
export function workerPool(benchmark: string, workers: number): Tinypool {
  const built = import.meta.url.endsWith('.ts') ? '../dist/' : './';
  return new Tinypool({
    filename: new URL(`${built}${benchmark}/worker.js`, import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    isolateWorkers: true,
    // workers run what was built, whatever this process resolves
    execArgv: [],
  });
}
