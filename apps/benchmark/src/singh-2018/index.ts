import { type Benchmark, environmentOf, type Row, rowOf } from '../benchmark.ts';
import { workerPool } from '../worker-pool.ts';
import { type Job, jobsFor, leftName, restartCase, tasks } from './jobs.ts';
import type { Measured } from './measure.ts';
import { pageOf } from './page.ts';
import { lefts, PAPER_COUNTS, singleRows } from './paper.ts';
import { terminalOf } from './tables.ts';

export const singh2018: Benchmark = {
  name: 'singh-2018',
  description:
    'the sensitivity paper: letters by networks of one hidden layer and of three, pruned while they train',

  async run(options) {
    const done = await runJobs(jobsFor(options), options.workers, options.log);
    const rows = [...tasks.flatMap(({ case: name }) => rowsOf(name, done)), ...attemptsOf(done)];
    const [seed] = options.seeds;
    const records = new Map(
      done
        .filter(({ job }) => job.seed === seed)
        .map(({ job, measured }) => [job.task.case, measured.record]),
    );
    const environment = { ...(await environmentOf(options)), dataset: done[0]?.measured.dataset ?? 'none' };
    return { name: this.name, environment, rows, records };
  },

  terminal: terminalOf,
  page: pageOf,
};

interface Done {
  readonly job: Job;
  readonly measured: Measured;
}

async function runJobs(jobs: readonly Job[], workers: number, log: (line: string) => void): Promise<Done[]> {
  const pool = workerPool('singh-2018', workers, { isolate: false });
  let count = 0;
  const run = async (job: Job): Promise<Done> => {
    const measured = (await pool.run(job)) as Measured;
    log(
      `${job.task.case}, seed ${job.seed}: ${measured.figures.accuracy!.toFixed(2)}% (${++count} of ${jobs.length})`,
    );
    return { job, measured };
  };
  const isFirst = ({ task }: Job): boolean => task.kind === 'first';
  try {
    const firsts = await Promise.all(jobs.filter(isFirst).map(run));
    return [...firsts, ...(await Promise.all(jobs.filter((job) => !isFirst(job)).map(run)))];
  } finally {
    await pool.destroy();
  }
}

type Expected = Parameters<typeof rowOf>[3];

/** What the paper and an independent run in PyTorch reached, by case. */
const expected: ReadonlyMap<string, Expected> = new Map<string, Expected>([
  ...singleRows.map(({ name, paper, target }): [string, Expected] => [name, { reference: paper, target }]),
  ['deep/paper-counts', { reference: PAPER_COUNTS.paper, target: PAPER_COUNTS.target }],
  ...lefts.map(({ units, target }): [string, Expected] => [`${leftName(units)}/sensitivity`, { target }]),
]);

function rowsOf(name: string, done: readonly Done[]): Row[] {
  const figures = done.filter(({ job }) => job.task.case === name).map(({ measured }) => measured.figures);
  return Object.keys(figures[0] ?? {}).map((metric) =>
    rowOf(
      name,
      metric,
      figures.map((one) => one[metric]!),
      metric === 'accuracy' ? expected.get(name) : {},
    ),
  );
}

/** The search for the fewest units, size by size. */
const attemptsOf = (done: readonly Done[]): Row[] =>
  done
    .flatMap(({ measured }) => measured.record)
    .flatMap((event) =>
      event.type === 'attempt'
        ? [
            {
              case: `${restartCase}/${event.groups.reduce((total, { units }) => total + units, 0)}-units`,
              metric: 'validation',
              value: 100 * event.accuracy,
              note: event.attempt === 0 ? 'the measure' : event.held ? 'holds' : 'falls behind',
            },
          ]
        : [],
    );
