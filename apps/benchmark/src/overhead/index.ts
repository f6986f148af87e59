import { useEngine } from '@espalier/engine';
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
import { race, type Times, type WatcherName, type WorkloadName, watchers, workloads } from './measure.ts';

const workloadNames: Readonly<Record<WorkloadName, string>> = {
  mlp: 'MLP 16-60-45-30-26, batches of 32',
  lenet: 'LeNet 10-20-50, batches of 64',
};

const watcherNames: Readonly<Record<WatcherName, string>> = {
  again: 'nobody: plain model.fit again',
  badness: 'badness',
  relevance: 'relevance',
  'relevance-second-order': 'relevance, order 2',
  sensitivity: 'sensitivity',
  'step-angle': 'step angle',
  contribution: 'contribution',
  angle: 'angle',
};

/** How much longer a training takes at most, as a ratio. */
const targets: Readonly<Partial<Record<WatcherName, number>>> = {
  badness: 1.1,
  relevance: 1.1,
  sensitivity: 1.25,
};

export const overhead: Benchmark = {
  name: 'overhead',
  description: 'how much longer a training takes while a pruner gathers its evidence inside it',

  async run(options) {
    await useEngine(options.engine);
    const rows: Row[] = [];
    for (const name of Object.keys(workloads) as WorkloadName[]) {
      rows.push(...rowsOf(name, await race(workloads[name], options.quick ? 2 : 60)));
      options.log(`${workloadNames[name]}: done`);
    }
    return { name: this.name, environment: await environmentOf(options), rows };
  },

  terminal: (result) =>
    (Object.keys(workloads) as WorkloadName[])
      .map((name) => `${workloadNames[name]}\n\n${terminalTable({ ...table(result, name), width: 100 })}`)
      .join('\n\n'),

  page(result): Page {
    return {
      title: 'What watching a training costs',
      intro:
        'The time of model.fit with a pruner that gathers its evidence inside it, by that of model.fit alone: medians of the ' +
        'ratios of rounds in which all take turns, in one run. All layers are watched and no batch is left out.',
      meta: metaOf(result.environment),
      sections: (Object.keys(workloads) as WorkloadName[]).map((name) => ({
        heading: workloadNames[name],
        table: htmlTable({ caption: 'Times by that of model.fit alone', ...table(result, name) }),
      })),
    };
  },
};

/** The plain training's milliseconds per batch, and every other's ratio to it. */
export function rowsOf(workload: WorkloadName, times: Times): Row[] {
  const { rows, epochs, batchSize } = workloads[workload];
  const perBatch = times.plain.map((ms) => (ms * batchSize) / (rows * epochs));
  const plain: Row = {
    case: `${workload}/plain`,
    metric: 'milliseconds',
    value: median(perBatch),
    spread: deviation(perBatch),
  };
  return [
    plain,
    ...(Object.keys(watchers) as WatcherName[]).map((name): Row => {
      const ratios = times[name].map((ms, round) => ms / times.plain[round]!);
      const [value, target] = [median(ratios), targets[name]];
      return {
        case: `${workload}/${name}`,
        metric: 'ratio',
        value,
        spread: deviation(ratios),
        ...(target !== undefined && { target, meets: value <= target }),
      };
    }),
  ];
}

function table({ rows }: Result, workload: WorkloadName): { columns: Column[]; rows: (string | number)[][] } {
  const numeric = true;
  const find = (name: string): Row => rows.find((row) => row.case === `${workload}/${name}`)!;
  const plain = find('plain').value;
  return {
    columns: [
      { name: 'Who watches' },
      { name: 'Ratio', numeric },
      { name: 'Spread', numeric },
      { name: 'At most', numeric },
      { name: 'ms per batch', numeric },
    ],
    rows: (Object.keys(watchers) as WatcherName[]).map((name) => {
      const { value, spread, target } = find(name);
      return [
        watcherNames[name],
        value.toFixed(3),
        `±${(spread ?? 0).toFixed(2)}`,
        target?.toFixed(2) ?? '',
        formatNumber(value * plain),
      ];
    }),
  };
}
