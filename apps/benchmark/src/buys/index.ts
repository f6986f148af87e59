import { type EngineName, findEngines } from '@espalier/engine';
import { type Column, formatNumber, htmlTable, type Page, terminalTable } from '@espalier/report';
import {
  type Benchmark,
  deviation,
  environmentOf,
  median,
  metaOf,
  type Result,
  type Row,
} from '../benchmark.ts';
import { workerPool } from '../worker-pool.ts';
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
    for (const { name, available } of await findEngines()) {
      if (!(name === 'wasm' || name === 'tensorflow')) continue;
      if (options.engine !== 'auto' && options.engine !== name) continue;
      for (const network of Object.keys(networks) as Network[]) {
        if (available)
          rows.push(...rowsOf(name, network, await measure({ engine: name, network, side, rounds })));
        else rows.push({ case: `${network}/${name}`, metric: 'skipped', value: 1, note: 'it is not here' });
        options.log(`${network} on ${name}: done`);
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
        'the models before and after take turns, in a thread of their own.',
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

async function measure(job: Job): Promise<Answer> {
  const pool = workerPool('buys', 1);
  try {
    return (await pool.run(job)) as Answer;
  } finally {
    await pool.destroy();
  }
}

/** Milliseconds before and after, how many times as fast it is, and the same of parameters, multiply-adds and bytes. */
export function rowsOf(engine: EngineName, network: Network, { milliseconds, cost }: Answer): Row[] {
  const at = `${network}/${engine}`;
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
      formatNumber(value),
      target === undefined ? '–' : formatNumber(target),
      meets === undefined ? '' : meets ? 'yes' : 'no',
    ]),
  };
}
