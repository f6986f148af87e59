import { type Benchmark, environmentOf, type Row, rowOf } from '../benchmark.ts';
import { runJobs } from '../worker-pool.ts';
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
    const jobs = jobsFor(options);
    const isFirst = ({ task }: Job): boolean => task.kind === 'first';
    const stages = [jobs.filter(isFirst), jobs.filter((job) => !isFirst(job))];
    const found = await runJobs<Job, Measured>(stages, {
      ...{ benchmark: this.name, workers: options.workers, log: options.log, isolate: false },
      describe: ({ task, seed }, { figures }) =>
        `${task.case}, seed ${seed}: ${figures.accuracy!.toFixed(2)}%`,
    });
    const done = stages.flat().map((job, i): Done => ({ job, measured: found[i]! }));
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
