import { type Benchmark, environmentOf, type Row, rowOf } from '../benchmark.ts';
import { runJobs } from '../worker-pool.ts';
import { caseOf, type Job, jobsFor } from './jobs.ts';
import type { Measured } from './measure.ts';
import { pageOf } from './page.ts';
import { FRONTIER_TARGET, TUNED_TARGET } from './settings.ts';
import { terminalOf } from './tables.ts';

export const li2018: Benchmark = {
  name: 'li-2018',
  description: 'similar filters: LeNet-5 without 80% of them, by five criteria, and how small it can be',

  async run(options) {
    const { whole, others } = jobsFor(options);
    const measured = await runJobs<Job, Measured>([whole, others], {
      ...{ benchmark: this.name, workers: options.workers, log: options.log, isolate: false },
      describe: ({ task, seed }) => `${caseOf(task)}, seed ${seed}: done`,
    });
    const environment = { ...(await environmentOf(options)), dataset: measured[0]?.dataset ?? 'none' };
    return { name: this.name, environment, rows: rowsOf(measured) };
  },

  terminal: terminalOf,
  page: pageOf,
};

/** All seeds' figures of each case. */
export function rowsOf(measured: readonly Measured[]): Row[] {
  const found = measured.flatMap(({ figures }) => Object.entries(figures));
  return [...new Set(found.map(([name]) => name))].flatMap((name) => {
    const seeds = found.filter(([other]) => other === name).map(([, figures]) => figures);
    return Object.keys(seeds[0]!).map((metric) => {
      const expected = metric === 'accuracy' ? { target: targetOf(name, seeds[0]!.params) } : {};
      return rowOf(
        name,
        metric,
        seeds.map((figures) => figures[metric]!),
        expected,
      );
    });
  });
}

/** The paper's method is held to a target, and the largest network of the frontier that is small enough. */
function targetOf(name: string, params: number | undefined): number | undefined {
  if (name === caseOf({ kind: 'thinned', level: '80-percent', method: 'kmeans' })) return TUNED_TARGET;
  return name === RECORD && params! <= FRONTIER_TARGET.params ? FRONTIER_TARGET.accuracy : undefined;
}

const RECORD = 'frontier/5-10-76-16';
