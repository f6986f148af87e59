import { type Dataset, loadDataset, take } from '@espalier/datasets';
import { type Column, formatNumber, htmlTable, type Page, terminalTable } from '@espalier/report';
import {
  type Benchmark,
  type BenchmarkOptions,
  deviation,
  environmentOf,
  median,
  metaOf,
  type Result,
  type Row,
} from '../benchmark.ts';
import { type Contestant, type Data, pytorch, thread } from './contestants.ts';
import { batchSizes, type Mode, modes, type Rows, type Task, type Workload, workloads } from './measure.ts';

const OURS = 'wasm';
const SECOND = 'second worker';

/** Ours first; all others are what it is compared with. */
const contestantNames = {
  wasm: 'wasm, Espalier',
  'wasm-naive': 'wasm, naive patch',
  'wasm-as-shipped': 'wasm as shipped',
  tensorflow: 'tfjs-node',
  cpu: 'cpu',
  'pytorch-one-thread': 'PyTorch, one thread',
  pytorch: 'PyTorch, all threads',
} as const;

type Name = keyof typeof contestantNames;

const workloadNames: Readonly<Record<Workload, string>> = {
  lenet: 'LeNet 10-20-50',
  mlp: 'MLP 16-60-45-30-26',
};
const modeNames: Readonly<Record<Mode, string>> = { train: 'training by model.fit', inference: 'inference' };

/** How many times the speed of the other ours should have. */
const targets: Readonly<Record<string, number>> = {
  'lenet/train/wasm-naive': 2.2,
  'lenet/train/tensorflow': 0.95,
  'mlp/train/tensorflow': 4,
  'mlp/train/wasm-as-shipped': 2,
  'mlp/train/pytorch-one-thread': 1 / 1.5,
  'mlp/train/pytorch': 1 / 1.5,
  'lenet/train/two-workers': 1.7,
  'mlp/train/two-workers': 1.7,
};

/** One contestant at one task: rows per second in each round, or why there are none. */
export interface Measurement {
  readonly workload: Workload;
  readonly mode: Mode;
  readonly name: Name | 'two-workers';
  readonly rates: readonly number[];
  readonly problem?: string;
}

export const speed: Benchmark = {
  name: 'speed',
  description: 'LeNet and the letters MLP, training and inference, on all engines and PyTorch, interleaved',

  async run(options) {
    const { data, dataset } = await loadData(options.quick);
    const field = new Map<string, Contestant>();
    const problems = new Map<Name, string>();
    let torch = 'none';
    const enter = async (name: string, make: () => Promise<Contestant>): Promise<void> => {
      try {
        field.set(name, await make());
      } catch (error) {
        problems.set(name as Name, reasonOf(error));
        options.log(`${name}: left out: ${reasonOf(error)}`);
      }
    };
    try {
      for (const name of ['wasm', 'wasm-naive', 'wasm-as-shipped'] as const) {
        await enter(name, () => thread(name, data));
      }
      for (const name of ['tensorflow', 'cpu'] as const) {
        const wanted =
          options.engine === name || (options.engine === 'auto' && !(options.quick && name === 'cpu'));
        if (wanted) await enter(name, () => thread(name, data));
      }
      await enter(SECOND, () => thread(OURS, data));
      for (const [name, threads] of [
        ['pytorch-one-thread', 1],
        ['pytorch', 0],
      ] as const) {
        await enter(name, async () => {
          const made = await pytorch(threads);
          torch = made.version;
          return made;
        });
      }
      const measurements = await race(field, problems, options, data);
      const environment = { ...(await environmentOf(options)), engine: 'all of them', dataset, torch };
      return { name: this.name, environment, rows: rowsOf(measurements) };
    } finally {
      for (const contestant of field.values()) await contestant.close();
    }
  },

  terminal(result) {
    const tables = tasks.map(([workload, mode]) => {
      const { columns, rows } = taskTable(result, workload, mode);
      return `${heading(workload, mode)}\n\n${terminalTable({ columns, rows, width: 110 })}`;
    });
    return tables.join('\n\n');
  },

  page(result): Page {
    const quick = result.environment.quick === true;
    return {
      title: 'Speed, engine by engine',
      intro:
        `Rows per second, batches of ${batchSizes.lenet} (LeNet) and ${batchSizes.mlp} (MLP), Adam, and how many times the speed of each other ` +
        `Espalier’s wasm has: medians over rounds in which all take turns, in one run.` +
        (quick ? ' This is the quick form: its figures only show that it runs.' : ''),
      meta: metaOf(result.environment),
      sections: tasks.map(([workload, mode]) => ({
        heading: heading(workload, mode),
        table: htmlTable({
          caption: 'Rows per second, and what wasm has of each',
          ...taskTable(result, workload, mode),
        }),
      })),
    };
  },
};

const tasks: readonly (readonly [Workload, Mode])[] = workloads.flatMap((workload) =>
  modes.map((mode) => [workload, mode] as const),
);

async function loadData(quick: boolean): Promise<{ data: Data; dataset: string }> {
  const images = await loadDataset('mnist', { validation: 0, normalize: 'standard', fallback: 'glyphs' });
  const letters = await loadDataset('letters', { fallback: 'glyphs' });
  const rowsOfPart = ({ train, inputShape, classes }: Dataset, limit: number): Rows => {
    const { x, labels, rows } = take(train, quick ? limit / 10 : limit);
    // copied, since a thread that gets a part of a buffer gets all of it
    return { x: x.slice(), labels: labels.slice(), rows, inputShape, classes: classes.length };
  };
  const noted = ({ name, note }: Dataset): string => `${name}${note ? ` (${note})` : ''}`;
  return {
    data: { lenet: rowsOfPart(images, 6400), mlp: rowsOfPart(letters, 14_000) },
    dataset: `${noted(images)}, ${noted(letters)}`,
  };
}

interface Heat {
  /** What those still in the race do next. */
  readonly plans: Map<string, Task>;
  readonly rates: Map<string, number[]>;
  readonly failed: Map<string, string>;
}

/** All contestants in turn, round after round, at each task for about as long. */
async function race(
  field: ReadonlyMap<string, Contestant>,
  problems: ReadonlyMap<Name, string>,
  { quick, log }: BenchmarkOptions,
  data: Data,
): Promise<Measurement[]> {
  const [rounds, seconds] = quick ? [1, 0.2] : [5, 1.5];
  const measurements: Measurement[] = [];
  for (const [workload, mode] of tasks) {
    const plan = (rate: number): Task => planFor(workload, mode, rate * seconds, data[workload].rows);
    const { plans, rates, failed } = await qualify(field, plan(0), plan);
    const timed = async (name: string, task: Task): Promise<number> =>
      (task.rows * task.epochs) / (await field.get(name)!.run(task));
    // the first round is not counted: what runs long enough is compiled by then
    for (let round = quick ? 0 : -1; round < rounds; round++) {
      const add = (name: string, rate: number): void => {
        if (round >= 0) rates.set(name, [...(rates.get(name) ?? []), rate]);
      };
      const names = [...plans.keys()].filter((name) => name !== SECOND);
      // another first, and other neighbours, in each round
      if (round % 2 === 0) names.reverse();
      for (const i of names.keys()) {
        const name = names[(i + round + 1) % names.length]!;
        const rate = await timed(name, plans.get(name)!);
        add(name, rate);
        // on a busy machine many threads can become a hundred times slower: that must not last
        plans.set(name, plan(rate));
      }
      if (mode === 'train' && field.has(SECOND)) {
        const own = plans.get(OURS)!;
        const both = await Promise.all([timed(OURS, own), timed(SECOND, own)]);
        add('two-workers', both[0] + both[1]);
      }
    }
    log(`${heading(workload, mode)}: ${rounds} round(s) of ${plans.size} contestants`);
    for (const name of [...(Object.keys(contestantNames) as Name[]), 'two-workers' as const]) {
      const problem = problems.get(name as Name) ?? failed.get(name);
      if (!rates.has(name) && problem === undefined) continue;
      const common = { workload, mode, name, rates: rates.get(name) ?? [] };
      measurements.push({ ...common, ...(problem !== undefined && { problem }) });
    }
  }
  return measurements;
}

/** Lets each do a few batches: how fast it is about, or why it can't. cpu is so slow that this is its race. */
async function qualify(
  field: ReadonlyMap<string, Contestant>,
  batch: Task,
  plan: (rate: number) => Task,
): Promise<Heat> {
  const heat: Heat = { plans: new Map(), rates: new Map(), failed: new Map() };
  for (const [name, contestant] of field) {
    const slow = name === 'cpu';
    try {
      if (!slow) await contestant.run(batch);
      const probe = slow ? batch : { ...batch, epochs: 8 };
      const rate = (probe.rows * probe.epochs) / (await contestant.run(probe));
      if (slow) heat.rates.set(name, [rate]);
      else heat.plans.set(name, plan(rate));
    } catch (error) {
      heat.failed.set(name, reasonOf(error));
    }
  }
  return heat;
}

/** About so many rows in all, in whole batches; at least one batch. */
function planFor(workload: Workload, mode: Mode, wanted: number, available: number): Task {
  const batch = batchSizes[workload];
  const rows = Math.min(available, Math.max(1, Math.round(wanted / batch)) * batch);
  return { workload, mode, rows, epochs: Math.max(1, Math.round(wanted / rows)) };
}

/** What was measured as rows: the rate of each, and the ratio of ours to each in the same round. */
export function rowsOf(measurements: readonly Measurement[]): Row[] {
  return measurements.flatMap(({ workload, mode, name, rates, problem }): Row[] => {
    const at = `${workload}/${mode}/${name}`;
    if (problem !== undefined) return [{ case: at, metric: 'skipped', value: 1, note: problem }];
    const rate = summary(at, 'rate', rates);
    const ours = measurements.find(
      (other) => other.name === OURS && other.workload === workload && other.mode === mode,
    );
    if (name === OURS || ours === undefined) return [rate];
    // of the two workers, what they have of one; of all others, what ours has of them
    const ratios = rates.map((value, round) =>
      name === 'two-workers' ? value / ours.rates[round]! : ours.rates[round]! / value,
    );
    const target = targets[at];
    const ratio = summary(at, 'ratio', ratios);
    return [rate, { ...ratio, ...(target !== undefined && { target, meets: ratio.value >= target }) }];
  });
}

function summary(at: string, metric: string, values: readonly number[]): Row {
  return {
    ...{ case: at, metric, value: median(values) },
    ...(values.length > 1 && { spread: deviation(values) }),
  };
}

const reasonOf = (error: unknown): string =>
  String(error instanceof Error ? error.message : error)
    .split('\n', 1)[0]!
    .trim();

const heading = (workload: Workload, mode: Mode): string => `${workloadNames[workload]}, ${modeNames[mode]}`;

function taskTable(
  { rows }: Result,
  workload: Workload,
  mode: Mode,
): { columns: Column[]; rows: (string | number)[][] } {
  const numeric = true;
  return {
    columns: [
      { name: 'Engine' },
      { name: 'Rows per second', numeric },
      { name: 'wasm has of it', numeric, strong: true },
      { name: 'Target', numeric },
      { name: 'Met' },
    ],
    rows: [...Object.entries(contestantNames), ['two-workers', 'two workers (of one)']].flatMap(
      ([name, shown]) => {
        const at = `${workload}/${mode}/${name}`;
        const find = (metric: string): Row | undefined =>
          rows.find((row) => row.case === at && row.metric === metric);
        const [rate, ratio, skipped] = [find('rate'), find('ratio'), find('skipped')];
        if (skipped) return [[`${shown}: ${skipped.note}`, '–', '–', '–', '']];
        if (!rate) return [];
        return [
          [
            shown!,
            Math.round(rate.value),
            ratio ? `${formatNumber(ratio.value)}x ±${formatNumber(ratio.spread ?? 0)}` : '1x',
            ratio?.target === undefined ? '–' : `${formatNumber(ratio.target)}x`,
            ratio?.meets === undefined ? '' : ratio.meets ? 'yes' : 'no',
          ],
        ];
      },
    ),
  };
}
