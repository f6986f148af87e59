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
import { workerPool } from '../worker-pool.ts';
import {
  type Answer,
  type Job,
  type Network,
  networks,
  type Operation,
  operations,
  type Shape,
  type Start,
  shapes,
} from './measure.ts';

/** Seconds that an operation may take at most, of either network. */
const targets: Readonly<Partial<Record<Operation, number>>> = { analyze: 0.03, plan: 0.25, shrink: 1 };
/** Torch-Pruning on two cores: of the graph, of a step (here by a plan and a shrinking), and of both. */
const references: Readonly<Record<string, number>> = {
  'resnet50/analyze': 0.13,
  'resnet50/shrink': 0.26,
  'densenet121/all': 6.4,
};
/** Times the model's own bytes. */
const MOST_MEMORY = 2.5;
/** How many times longer a layer may take in the deepest net than in the first. */
const MOST_GROWTH = 1.5;

/** The seconds of each operation, round by round, and the most memory that shrinking took beside the model. */
export interface Measurement {
  readonly seconds: Readonly<Record<Operation, readonly number[]>>;
  /** In models. */
  readonly memory: number;
}

export const cost: Benchmark = {
  name: 'cost',
  description:
    'what analyze, plan and shrink cost on ResNet50 and DenseNet121, and how that grows with depth',

  async run(options) {
    const depths = options.quick ? [20, 40] : [100, 200, 400, 800];
    const rows: Row[] = [];
    if (!options.quick) {
      for (const network of Object.keys(networks) as Network[]) {
        rows.push(...rowsOfNetwork(network, await measure({ engine: options.engine, network }, options)));
      }
    }
    for (const shape of Object.keys(shapes) as Shape[]) {
      const measured = new Map<number, Measurement>();
      for (const depth of depths) {
        measured.set(depth, await measure({ engine: options.engine, shape, depth }, options));
      }
      rows.push(...rowsOfShape(shape, measured));
    }
    return { name: this.name, environment: await environmentOf(options), rows };
  },

  terminal(result) {
    return terminalTable({ ...tableOf(result), width: 110 });
  },

  page(result): Page {
    return {
      title: 'What pruning itself costs',
      intro:
        'Half of all units by the size of their weights: medians of rounds after a first one, in a thread of its own. ' +
        '“rebuild” is what TensorFlow.js alone takes to build the model of its JSON.',
      meta: metaOf(result.environment),
      sections: [
        { heading: 'Cost', table: htmlTable({ caption: 'Seconds, models and ratios', ...tableOf(result) }) },
      ],
    };
  },
};

const nameOf = (start: Start): string =>
  'network' in start ? start.network : `${start.shape}, ${start.depth}`;

/** Each operation in turn, round after round; the first rounds, which are compiled meanwhile, do not count. */
async function measure(start: Start, { quick, log }: BenchmarkOptions): Promise<Measurement> {
  const rounds = quick ? 1 : 9;
  const seconds: Record<Operation, number[]> = { analyze: [], plan: [], shrink: [], rebuild: [] };
  const { bytes, plan } = await inThread(async (ask) => {
    const started = await ask(start);
    for (let round = quick ? -1 : -3; round < rounds; round++) {
      for (const run of operations) {
        const answer = await ask({ run });
        if (round >= 0) seconds[run].push(answer.seconds);
      }
    }
    return started;
  });
  const peak = await inThread(async (ask) => {
    await ask({ ...start, plan });
    return peakDuring(() => ask({ run: 'shrink' }));
  });
  log(`${nameOf(start)}: done`);
  return { seconds, memory: peak / bytes };
}

async function inThread<T>(use: (ask: (job: Job) => Promise<Answer>) => Promise<T>): Promise<T> {
  const pool = workerPool('cost', 1, { isolate: false });
  try {
    return await use((job) => pool.run(job) as Promise<Answer>);
  } finally {
    await pool.destroy();
  }
}

/** The most bytes that the process has more than before, while its other thread does something. */
async function peakDuring(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 1);
  try {
    await work();
  } finally {
    clearInterval(watch);
  }
  return Math.max(most, process.memoryUsage.rss()) - before;
}

const atMost = (target: number | undefined, value: number): Pick<Row, 'target' | 'meets'> =>
  target === undefined ? {} : { target, meets: value <= target };

function secondsRow(at: string, values: readonly number[], target?: number): Row {
  const [value, reference] = [median(values), references[at]];
  const spread = values.length > 1 ? { spread: deviation(values) } : {};
  return {
    ...{ case: at, metric: 'seconds', value, ...spread },
    ...(reference !== undefined && { reference }),
    ...atMost(target, value),
  };
}

export function rowsOfNetwork(network: Network, { seconds, memory }: Measurement): Row[] {
  const all = seconds.plan.map((value, round) => value + seconds.shrink[round]!);
  return [
    ...operations.map((operation) =>
      secondsRow(`${network}/${operation}`, seconds[operation], targets[operation]),
    ),
    secondsRow(`${network}/all`, all),
    {
      ...{ case: `${network}/shrink`, metric: 'memory', value: memory, ...atMost(MOST_MEMORY, memory) },
      note: 'at its peak, beside the model and in its sizes',
    },
  ];
}

/** Seconds of each depth, and how many times longer one layer takes in the deepest net than in the first. */
export function rowsOfShape(shape: Shape, measured: ReadonlyMap<number, Measurement>): Row[] {
  const depths = [...measured.keys()];
  const [first, last] = [depths[0]!, depths.at(-1)!];
  return operations.flatMap((operation) => {
    const of = (depth: number): number => median(measured.get(depth)!.seconds[operation]);
    const value = of(last) / last / (of(first) / first);
    const growth: Row = {
      ...{ case: `${shape}/${operation}`, metric: 'growth', value },
      ...(operation === 'rebuild'
        ? { note: 'TensorFlow.js alone' }
        : { ...atMost(MOST_GROWTH, value), note: `a layer of ${last} against one of ${first}` }),
    };
    return [
      ...depths.map((depth) =>
        secondsRow(`${shape}-${depth}/${operation}`, measured.get(depth)!.seconds[operation]),
      ),
      growth,
    ];
  });
}

function tableOf({ rows }: Result): { columns: Column[]; rows: (string | number)[][] } {
  const numeric = true;
  return {
    columns: [
      { name: 'Case' },
      { name: 'Of' },
      { name: 'Value', numeric, strong: true },
      { name: 'Reference', numeric },
      { name: 'At most', numeric },
      { name: 'Met' },
    ],
    rows: rows.map(({ case: at, metric, value, reference, target, meets }) => [
      at,
      metric,
      value < 1 ? value.toPrecision(2) : formatNumber(value),
      reference === undefined ? '–' : formatNumber(reference),
      target === undefined ? '–' : formatNumber(target),
      meets === undefined ? '' : meets ? 'yes' : 'no',
    ]),
  };
}
