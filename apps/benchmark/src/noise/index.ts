import { type Benchmark, environmentOf } from '../benchmark.ts';
import { runJobs } from '../worker-pool.ts';
import { rowsOf } from './figures.ts';
import { type Job, jobsFor } from './jobs.ts';
import type { Measured } from './measure.ts';
import { pageOf } from './page.ts';
import { terminalOf } from './tables.ts';

export const noise: Benchmark = {
  name: 'noise',
  description: 'half of the units gone: do networks still bear noise, and by which criterion best?',

  async run(options) {
    const measured = await runJobs<Job, Measured>([jobsFor(options)], {
      ...{ benchmark: this.name, workers: options.workers, log: options.log },
      describe: ({ net, seed }) => `${net}, seed ${seed}: done`,
    });
    const dataset = [...new Set(measured.map((one) => one.dataset))].join(' and ') || 'none';
    return {
      name: this.name,
      environment: { ...(await environmentOf(options)), dataset },
      rows: rowsOf(measured),
    };
  },

  terminal: terminalOf,
  page: pageOf,
};
