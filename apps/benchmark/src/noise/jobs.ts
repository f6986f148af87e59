import { join } from 'node:path';
import type { BenchmarkOptions } from '../benchmark.ts';
import { type Net, nets } from './settings.ts';

/** One net with one seed, and all its cases: all that a worker needs to know. */
export interface Job extends Pick<BenchmarkOptions, 'engine' | 'quick'> {
  readonly net: Net;
  readonly seed: number;
  /** The folder that keeps what was measured, and whole nets. */
  readonly cache: string;
}

export const jobsFor = ({ seeds, quick, engine, out }: BenchmarkOptions): Job[] =>
  nets.flatMap((net) => seeds.map((seed) => ({ net, seed, quick, engine, cache: join(out, 'nets') })));
