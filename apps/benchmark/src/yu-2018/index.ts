import { join } from 'node:path';
import { type Benchmark, type BenchmarkOptions, environmentOf, type Row, rowOf } from '../benchmark.ts';
import { workerPool } from '../worker-pool.ts';
import type { Job, Measured } from './measure.ts';
import { pageOf, terminalOf } from './page.ts';
import { type LevelName, levels, type MethodName, methods, type NetName, nets } from './settings.ts';
import { type Curve, meanCurve, reaches, type Tuned } from './tune.ts';

const netNames = Object.keys(nets) as NetName[];
const levelNames = Object.keys(levels) as LevelName[];
const methodNames = Object.keys(methods) as MethodName[];

export const yu2018: Benchmark = {
  name: 'yu-2018',
  description:
    'the NISP paper: pruned by importance, by magnitude and at random, or small from scratch; fine-tuned',

  async run(options) {
    const done = await runJobs(options);
    const rows = netNames.flatMap((net) => [
      ...wholeRows(net, done),
      ...levelNames.flatMap((level) => levelRows(net, level, done)),
    ]);
    const datasets = [...new Set(done.map(({ dataset }) => dataset))].join(', ');
    return { name: this.name, environment: { ...(await environmentOf(options)), datasets }, rows };
  },

  terminal: terminalOf,
  page: pageOf,
};

/** What came of one network with one seed. */
export interface Done extends Measured {
  readonly net: NetName;
}

/** All networks with one seed come before those with the next: a run that is cut short has whole seeds. */
export const jobsFor = ({ seeds, quick, engine, out }: BenchmarkOptions): Job[] =>
  seeds.flatMap((seed) =>
    netNames.map((net): Job => ({ net, seed, quick, engine, cache: join(out, 'nets') })),
  );

async function runJobs(options: BenchmarkOptions): Promise<Done[]> {
  const pool = workerPool(yu2018.name, options.workers, { isolate: false });
  const run = async (job: Job): Promise<Done> => {
    const measured = (await pool.run(job)) as Measured;
    options.log(`${job.net}, seed ${job.seed}: unpruned ${measured.whole.accuracy.toFixed(2)}%`);
    return { net: job.net, ...measured };
  };
  try {
    return await Promise.all(jobsFor(options).map(run));
  } finally {
    await pool.destroy();
  }
}

const lastOf = (curve: Curve): number => curve.at(-1)![1];

function wholeRows(net: NetName, done: readonly Done[]): Row[] {
  const found = done.filter((one) => one.net === net).map(({ whole }) => whole);
  return figuresOf(`${net}/unpruned`, found);
}

const figuresOf = (name: string, found: readonly Tuned[]): Row[] => [
  rowOf(
    name,
    'accuracy',
    found.map(({ accuracy }) => accuracy),
  ),
  rowOf(
    name,
    'validation',
    found.map(({ curve }) => lastOf(curve)),
  ),
  rowOf(
    name,
    'params',
    found.map(({ params }) => params),
  ),
];

/** One network at one size: each method with its curve, and how soon it reaches where others end. */
export function levelRows(net: NetName, level: LevelName, done: readonly Done[]): Row[] {
  const curves = new Map<MethodName, Curve>();
  const figures = methodNames.flatMap((method) => {
    const found = done
      .filter((one) => one.net === net)
      .flatMap(({ small }) => small.filter((one) => one.level === level && one.method === method));
    const name = `${net}/${level}/${method}`;
    curves.set(method, meanCurve(found.map(({ curve }) => curve)));
    const points = (found[0]?.curve ?? []).map(([epoch], i) =>
      rowOf(
        `${name}/after-${epoch}`,
        'validation',
        found.map(({ curve }) => curve[i]![1]),
      ),
    );
    return [...figuresOf(name, found), ...points];
  });
  const others = methodNames.filter((method) => !method.startsWith('nisp'));
  const races = others.flatMap((other) => [
    raceRow(`${net}/${level}`, 'nisp', other, curves),
    raceRow(`${net}/${level}`, 'nisp-at-once', other, curves),
    raceRow(`${net}/${level}`, other, 'nisp', curves),
  ]);
  return [...figures, ...races];
}

/** After how many epochs the mean of one method is where another's ends. Of NISP less than the other takes is asked for. */
function raceRow(
  name: string,
  method: MethodName,
  other: MethodName,
  curves: ReadonlyMap<MethodName, Curve>,
): Row {
  const [own, theirs] = [curves.get(method)!, curves.get(other)!];
  const reached = reaches(own, lastOf(theirs));
  const [all, target] = [own.at(-1)![0], theirs.at(-1)![0]];
  return {
    case: `${name}/${method}-reaches-${other}`,
    metric: 'epochs',
    value: reached ?? all,
    ...(method === 'nisp' && { target, meets: reached !== undefined && reached < target }),
    ...(reached === undefined && { note: `not within ${all} epochs` }),
  };
}
