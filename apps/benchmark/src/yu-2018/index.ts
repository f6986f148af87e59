import { join } from 'node:path';
import { type Benchmark, type BenchmarkOptions, environmentOf, type Row, rowOf } from '../benchmark.ts';
import { workerPool } from '../worker-pool.ts';
import type { Job, Measured } from './measure.ts';
import { pageOf, terminalOf } from './page.ts';
import { type LevelName, levels, type MethodName, methods, type NetName, nets } from './settings.ts';
import { type Curve, meanCurve, reaches } from './tune.ts';

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
    const datasets = [...new Set(done.map(({ measured }) => measured.dataset))].join(', ');
    return { name: this.name, environment: { ...(await environmentOf(options)), datasets }, rows };
  },

  terminal: terminalOf,
  page: pageOf,
};

/** A job with what came of it. */
export interface Done {
  readonly job: Pick<Job, 'net' | 'seed' | 'small'>;
  readonly measured: Measured;
}

/** All that is trained: whole networks first, which the others begin with. */
export function jobsFor({ seeds, quick, engine, out }: BenchmarkOptions): { whole: Job[]; small: Job[] } {
  const whole = netNames.flatMap((net) =>
    seeds.map((seed): Job => ({ net, seed, quick, engine, cache: join(out, 'nets') })),
  );
  const smalls = levelNames.flatMap((level) => methodNames.map((method) => ({ level, method })));
  return { whole, small: whole.flatMap((job) => smalls.map((small): Job => ({ ...job, small }))) };
}

async function runJobs(options: BenchmarkOptions): Promise<Done[]> {
  const { whole, small } = jobsFor(options);
  const pool = workerPool(yu2018.name, options.workers, { isolate: false });
  const total = whole.length + small.length;
  let count = 0;
  const run = async (job: Job): Promise<Done> => {
    const measured = (await pool.run(job)) as Measured;
    const name = [job.net, ...Object.values(job.small ?? { whole: 'unpruned' })].join('/');
    options.log(`${name}, seed ${job.seed}: ${measured.accuracy.toFixed(2)}% (${++count} of ${total})`);
    return { job, measured };
  };
  try {
    return [...(await Promise.all(whole.map(run))), ...(await Promise.all(small.map(run)))];
  } finally {
    await pool.destroy();
  }
}

const lastOf = (curve: Curve): number => curve.at(-1)![1];

function wholeRows(net: NetName, done: readonly Done[]): Row[] {
  const found = done.filter(({ job }) => job.net === net && !job.small).map(({ measured }) => measured);
  return figuresOf(`${net}/unpruned`, found);
}

const figuresOf = (name: string, found: readonly Measured[]): Row[] => [
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
      .filter(({ job }) => job.net === net && job.small?.level === level && job.small.method === method)
      .map(({ measured }) => measured);
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
    raceRow(`${net}/${level}`, 'nisp-outputs', other, curves),
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
