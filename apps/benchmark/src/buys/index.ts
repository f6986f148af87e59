import { type EngineName, findEngines } from '@espalier/engine';
import {
  type Column,
  formatBytes,
  formatCount,
  formatNumber,
  htmlTable,
  type Page,
  terminalTable,
} from '@espalier/report';
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
import { inChromium, whyNotInChromium } from './chromium.ts';
import { type Answer, type Job, type Network, networks, type Side } from './measure.ts';

/** How many times as fast the smaller model should be on wasm. */
const targets: Readonly<Record<Network, number>> = { resnet50: 2.2, mobilenetv2: 1.5 };
const sides: readonly Side[] = ['before', 'after'];

export const buys: Benchmark = {
  name: 'buys',
  description:
    'what half of the channels of ResNet50 and MobileNetV2 are worth: latency, weights, multiply-adds',

  async run(options) {
    const [side, rounds] = options.quick ? [32, 3] : [224, 15];
    const rows: Row[] = [];
    for (const { name, engine, reason, measure } of await placesFor(options.engine)) {
      for (const network of Object.keys(networks) as Network[]) {
        const at = `${network}/${name}`;
        if (reason === undefined) {
          rows.push(...rowsOf({ name, engine }, network, await measure({ engine, network, side, rounds })));
        } else rows.push({ case: at, metric: 'skipped', value: 1, note: reason });
        options.log(`${at}: ${reason ?? 'done'}`);
      }
    }
    return {
      name: this.name,
      environment: { ...(await environmentOf(options)), engine: 'all of them' },
      rows,
    };
  },

  terminal(result) {
    return terminalTable({ ...tableOf(result), width: 110 });
  },

  page(result): Page {
    return {
      title: 'What pruning buys',
      intro:
        'Half of the units of every group gone by the size of their weights. Single images; medians of rounds in which ' +
        'the models before and after take turns, in a thread of their own or in a page of Chromium.',
      meta: metaOf(result.environment),
      sections: [
        {
          heading: 'Before and after',
          table: htmlTable({ caption: 'Latency and size', ...tableOf(result) }),
        },
      ],
    };
  },
};

/** Somewhere that networks infer. */
interface Place {
  readonly name: EngineName | 'chromium';
  readonly engine: EngineName;
  /** Why it can't be measured. */
  readonly reason: string | undefined;
  readonly measure: (job: Job) => Promise<Answer>;
}

/** The engines that people run networks on, in Node and in a browser. */
async function placesFor(asked: BenchmarkOptions['engine']): Promise<Place[]> {
  const isAsked = (engine: EngineName): boolean => engine !== 'cpu' && (asked === 'auto' || asked === engine);
  const threads = (await findEngines()).map(
    ({ name, reason }): Place => ({ name, engine: name, reason, measure: inThread }),
  );
  const places = threads.filter(({ engine }) => isAsked(engine));
  if (!isAsked('wasm')) return places;
  return [
    ...places,
    { name: 'chromium', engine: 'wasm', reason: await whyNotInChromium(), measure: inChromium },
  ];
}

async function inThread(job: Job): Promise<Answer> {
  const pool = workerPool('buys', 1);
  try {
    return (await pool.run(job)) as Answer;
  } finally {
    await pool.destroy();
  }
}

/** Milliseconds before and after, how many times as fast it is, and the same of parameters, multiply-adds and bytes. */
export function rowsOf(
  { name, engine }: Pick<Place, 'name' | 'engine'>,
  network: Network,
  { milliseconds, cost }: Answer,
): Row[] {
  const at = `${network}/${name}`;
  const ratios = milliseconds.before.map((value, round) => value / milliseconds.after[round]!);
  const value = median(ratios);
  const target = engine === 'wasm' ? targets[network] : undefined;
  return [
    ...sides.map((side) => ({
      ...{ case: `${at}/${side}`, metric: 'milliseconds', value: median(milliseconds[side]) },
      spread: deviation(milliseconds[side]),
    })),
    {
      ...{ case: at, metric: 'ratio', value, spread: deviation(ratios) },
      ...(target !== undefined && { target, meets: value >= target }),
    },
    ...sides.flatMap((side) =>
      (['params', 'macs', 'bytes'] as const).map((metric) => ({
        ...{ case: `${at}/${side}`, metric, value: cost[side][metric] },
      })),
    ),
  ];
}

const formats: Readonly<Record<string, (value: number) => string>> = {
  ...{ params: formatCount, macs: formatCount, bytes: formatBytes },
};

function tableOf({ rows }: Result): { columns: Column[]; rows: (string | number)[][] } {
  const numeric = true;
  return {
    columns: [
      { name: 'Case' },
      { name: 'Of' },
      { name: 'Value', numeric, strong: true },
      { name: 'At least', numeric },
      { name: 'Met' },
    ],
    rows: rows.map(({ case: at, metric, value, target, meets, note }) => [
      note === undefined ? at : `${at}: ${note}`,
      metric,
      (formats[metric] ?? formatNumber)(value),
      target === undefined ? '–' : formatNumber(target),
      meets === undefined ? '' : meets ? 'yes' : 'no',
    ]),
  };
}
