import { join } from 'node:path';
import { type Benchmark, type BenchmarkOptions, environmentOf, mean, type Row, rowOf } from '../benchmark.ts';
import type { Net } from '../noise/settings.ts';
import { workerPool } from '../worker-pool.ts';
import type { Job, Measured } from './measure.ts';
import { methods, nameOf } from './methods.ts';
import { pageOf, terminalOf } from './page.ts';
import type { Point } from './size.ts';

export const frontier: Benchmark = {
  name: 'frontier',
  description:
    'accuracy against units, parameters and multiply-adds, for every criterion with every compensation',

  async run(options) {
    const pool = workerPool('frontier', options.workers, { isolate: false });
    try {
      const done = await Promise.all(
        jobsFor(options).map(async (job) => {
          const measured = (await pool.run(job)) as Measured;
          options.log(`${'kind' in job ? `letters/${job.kind}` : job.net}, seed ${job.seed}: done`);
          return { job, measured };
        }),
      );
      const environment = {
        ...(await environmentOf(options)),
        datasets: [...new Set(done.map(({ measured }) => measured.dataset))].join(', '),
      };
      return { name: this.name, environment, rows: rowsOf(done) };
    } finally {
      await pool.destroy();
    }
  },

  terminal: terminalOf,
  page: pageOf,
};

const nets: readonly Net[] = ['lenet', 'letters'];

/** What takes longest comes first. */
function jobsFor({ seeds, quick, engine, out }: BenchmarkOptions): Job[] {
  const common = { quick, engine, cache: join(out, 'nets') };
  return [
    ...nets.flatMap((net) => seeds.map((seed): Job => ({ ...common, net, seed }))),
    ...(['wide', 'narrow'] as const).flatMap((kind) =>
      seeds.map((seed): Job => ({ ...common, kind, net: 'letters', seed })),
    ),
  ];
}

interface Done {
  readonly job: Job;
  readonly measured: Measured;
}

/** All figures, and of each size the method that validation data speak for. */
export function rowsOf(done: readonly Done[]): Row[] {
  const ofNets = nets.flatMap((net) => {
    const measured = done.flatMap(({ job, measured }) =>
      'kind' in job || job.net !== net ? [] : [measured],
    );
    if (measured.length === 0) return [];
    const seen = ['unpruned', ...methods.map(nameOf)].flatMap((method) => measuresOf(method, measured));
    return [
      ...seen.flatMap(({ method, points }) => figuresOf(`${net}/${caseOf(method, points)}`, points)),
      ...bestOf(net, seen),
    ];
  });
  const kindOf = (kind: string): Point[] => done.flatMap(({ measured }) => measured.points[kind] ?? []);
  const [wide, narrow] = [kindOf('wide'), kindOf('narrow')];
  if (wide.length === 0 || narrow.length === 0) return ofNets;
  const beaten = mean(narrow.map(({ accuracy }) => accuracy));
  return [
    ...ofNets,
    ...figuresOf('letters-wide/from-scratch', narrow),
    ...figuresOf('letters-wide/pruned', wide, { reference: beaten, target: Math.max(95, beaten) }),
  ];
}

/** One method at one size, with all seeds. */
interface Seen {
  readonly method: string;
  readonly points: readonly Point[];
}

/** Those sizes that it came to with every seed. */
function measuresOf(method: string, measured: readonly Measured[]): Seen[] {
  const all = measured.flatMap(({ points }) => points[method] ?? []);
  return [...new Set(all.map(({ share }) => share))]
    .map((share) => ({ method, points: all.filter((point) => point.share === share) }))
    .filter(({ points }) => points.length === measured.length);
}

const sizeOf = (points: readonly Point[]): string => `${Math.round(100 * points[0]!.share)}-percent`;

const caseOf = (method: string, points: readonly Point[]): string =>
  method === 'unpruned' ? method : `${sizeOf(points)}/${method}`;

const metrics = ['accuracy', 'validation', 'params', 'macs', 'units'] as const;

const figuresOf = (
  name: string,
  points: readonly Point[],
  expected: Parameters<typeof rowOf>[3] = {},
): Row[] =>
  metrics.map((metric) => {
    const values = points.map((point) => point[metric]);
    return rowOf(name, metric, values, metric === 'accuracy' ? expected : {});
  });

/** The method with the best accuracy on validation data at each size, and what it has on test data. */
function bestOf(net: Net, seen: readonly Seen[]): Row[] {
  const pruned = seen.filter(({ method }) => method !== 'unpruned');
  const validated = ({ points }: Seen): number => mean(points.map(({ validation }) => validation));
  return [...new Set(pruned.map(({ points }) => sizeOf(points)))].flatMap((size) => {
    const best = pruned
      .filter(({ points }) => sizeOf(points) === size)
      .reduce((a, b) => (validated(b) > validated(a) ? b : a));
    return figuresOf(`${net}/${size}/best`, best.points).map((row) => ({ ...row, note: best.method }));
  });
}
