import { type Benchmark, environmentOf } from '../benchmark.ts';
import { workerPool } from '../worker-pool.ts';
import { rowsOf } from './figures.ts';
import { type Job, jobsFor } from './jobs.ts';
import type { Measured } from './measure.ts';
import { pageOf } from './page.ts';
import { terminalOf } from './tables.ts';

export const noise: Benchmark = {
  name: 'noise',
  description: 'half of the units gone: do networks still bear noise, and by which criterion best?',

  async run(options) {
    const measured = await runJobs(jobsFor(options), options.workers, options.log);
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

async function runJobs(
  jobs: readonly Job[],
  workers: number,
  log: (line: string) => void,
): Promise<Measured[]> {
  const pool = workerPool('noise', workers);
  let done = 0;
  try {
    return await Promise.all(
      jobs.map(async (job) => {
        const measured = (await pool.run(job)) as Measured;
        log(`${job.net}, seed ${job.seed}: done (${++done} of ${jobs.length})`);
        return measured;
      }),
    );
  } finally {
    await pool.destroy();
  }
}
