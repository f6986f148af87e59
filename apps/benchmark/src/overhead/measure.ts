import { type Pruner, type WatchCallback, watch } from '@espalier/core';
import { type Dataset, loadDataset, take, toTensors } from '@espalier/datasets';
import { lenet, mlp } from '@espalier/models';
import { angle } from '@espalier/pruner-angle';
import { badness } from '@espalier/pruner-badness';
import { contribution } from '@espalier/pruner-contribution';
import { relevance } from '@espalier/pruner-relevance';
import { sensitivity, stepAngle } from '@espalier/pruner-sensitivity';
import { disposeModel } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

export type WatcherName =
  | 'again'
  | 'badness'
  | 'relevance'
  | 'relevance-second-order'
  | 'sensitivity'
  | 'step-angle'
  | 'contribution'
  | 'angle';

/** Whoever watches a training. `again` is nobody: what it differs by from plain `model.fit` is noise. */
export const watchers: Readonly<Record<WatcherName, (() => Pruner) | undefined>> = {
  again: undefined,
  badness: () => badness(),
  relevance: () => relevance(),
  'relevance-second-order': () => relevance({ order: 2 }),
  sensitivity: () => sensitivity(),
  'step-angle': () => stepAngle(),
  contribution: () => contribution(),
  angle: () => angle(),
};

export interface Workload {
  readonly batchSize: number;
  /** What one turn trains on, and how often. */
  readonly rows: number;
  readonly epochs: number;
  load(): Promise<Dataset>;
  model(data: Dataset): LayersModel;
}

export type WorkloadName = 'mlp' | 'lenet';

/** Batches as in `espalier-benchmark speed`; a turn of each takes about as long. */
export const workloads: Readonly<Record<WorkloadName, Workload>> = {
  mlp: {
    batchSize: 32,
    rows: 3200,
    epochs: 4,
    load: () => loadDataset('letters', { fallback: 'glyphs' }),
    model: ({ inputShape, classes }) =>
      mlp({ inputs: inputShape, hidden: [60, 45, 30], classes: classes.length }),
  },
  lenet: {
    batchSize: 64,
    rows: 1280,
    epochs: 1,
    load: () => loadDataset('mnist', { normalize: 'standard', fallback: 'glyphs' }),
    model: ({ inputShape, classes }) => lenet({ inputShape, classes: classes.length }),
  },
};

/** One model in training, watched or not. */
interface Contestant {
  readonly name: WatcherName | 'plain';
  readonly model: LayersModel;
  readonly callback: WatchCallback | undefined;
}

/** Who took how many milliseconds in each round. */
export type Times = Readonly<Record<WatcherName | 'plain', readonly number[]>>;

/**
 * Trains as many models alike as there are watchers, in turns: each round lets every one of them train for a turn, so that
 * whatever else the machine does is shared.
 */
export async function race({ batchSize, epochs, ...workload }: Workload, rounds: number): Promise<Times> {
  const data = await workload.load();
  const { x, y } = toTensors(data, take(data.train, workload.rows));
  const field: Contestant[] = [contestant('plain', workload.model(data))];
  for (const name of Object.keys(watchers) as WatcherName[]) {
    field.push(contestant(name, workload.model(data), watchers[name]));
  }
  const turn = async ({ model, callback }: Contestant): Promise<number> => {
    const start = performance.now();
    // the event loop's share would be the same for all
    const fit = { epochs, batchSize, verbose: 0, yieldEvery: 'never' } as const;
    await model.fit(x, y, { ...fit, ...(callback && { callbacks: callback }) });
    return performance.now() - start;
  };
  try {
    for (const one of field) await turn(one);
    const times = Object.fromEntries(field.map(({ name }) => [name, [] as number[]]));
    for (let round = 0; round < rounds; round++) {
      // another one begins each time, for a turn may pay for the garbage of the one before it
      for (let i = 0; i < field.length; i++) {
        const one = field[(round + i) % field.length]!;
        times[one.name]!.push(await turn(one));
      }
    }
    return times as unknown as Times;
  } finally {
    for (const { model, callback } of field) {
      callback?.dispose();
      disposeModel(model);
    }
    tf.dispose([x, y]);
  }
}

function contestant(name: Contestant['name'], model: LayersModel, make?: () => Pruner): Contestant {
  model.compile({ optimizer: tf.train.adam(), loss: 'categoricalCrossentropy' });
  return { name, model, callback: make && watch({ pruner: make() }) };
}
