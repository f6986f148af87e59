import { type EngineName, useEngine } from '@espalier/engine';
import { lenet, mlp } from '@espalier/models';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { registerNaiveKernels } from './naive.ts';

/** What runs in a thread: an engine of Espalier's, or wasm without or with only the naive kernel. */
export type ThreadName = EngineName | 'wasm-as-shipped' | 'wasm-naive';

export const workloads = ['lenet', 'mlp'] as const;
export const modes = ['train', 'inference'] as const;
/** 32 is what `model.fit` takes by itself. */
export const batchSizes = { lenet: 64, mlp: 32 } as const;

export type Workload = (typeof workloads)[number];
export type Mode = (typeof modes)[number];

/** Some rows of a dataset. */
export interface Rows {
  readonly x: Float32Array;
  readonly labels: Int32Array;
  readonly rows: number;
  readonly inputShape: readonly number[];
  readonly classes: number;
}

/** So many passes over the first so many rows. */
export interface Task {
  readonly workload: Workload;
  readonly mode: Mode;
  readonly rows: number;
  readonly epochs: number;
}

/** What a thread is asked for: to get ready, or to do a task. */
export type Job =
  | { readonly start: ThreadName; readonly data: Readonly<Record<Workload, Rows>> }
  | ({ readonly start?: never } & Task);

interface Session {
  readonly model: LayersModel;
  readonly x: tf.Tensor;
  readonly y: tf.Tensor;
}

/** Does a thread's jobs, one after the other, and answers with the seconds that each took. */
export class Bench {
  readonly #sessions = new Map<Workload, Session>();

  async run(job: Job): Promise<number> {
    const start = performance.now();
    if (job.start) await this.#prepare(job.start, job.data);
    else await this.#perform(job);
    return (performance.now() - start) / 1000;
  }

  async #prepare(name: ThreadName, data: Readonly<Record<Workload, Rows>>): Promise<void> {
    if (name === 'wasm-naive' || name === 'wasm-as-shipped') {
      if (name === 'wasm-naive') registerNaiveKernels();
      await tf.setBackend('wasm');
    } else await useEngine(name);
    for (const workload of workloads) {
      const { x, labels, rows, inputShape, classes } = data[workload];
      const index = tf.tensor1d(labels, 'int32');
      const model =
        workload === 'lenet'
          ? lenet({ inputShape, classes })
          : mlp({ inputs: inputShape, classes, hidden: [60, 45, 30] });
      model.compile({ optimizer: tf.train.adam(0.001), loss: 'categoricalCrossentropy' });
      this.#sessions.set(workload, {
        model,
        x: tf.tensor(x, [rows, ...inputShape]),
        y: tf.tidy(() => tf.cast(tf.oneHot(index, classes), 'float32')),
      });
      index.dispose();
    }
  }

  async #perform({ workload, mode, rows, epochs }: Task): Promise<void> {
    const batchSize = batchSizes[workload];
    const { model, ...all } = this.#sessions.get(workload)!;
    const [x, y] = [tf.slice(all.x, 0, rows), tf.slice(all.y, 0, rows)];
    try {
      if (mode === 'train') {
        await model.fit(x, y, { epochs, batchSize, verbose: 0 });
        return;
      }
      for (let i = 0; i < epochs; i++) {
        const outputs = model.predict(x, { batchSize }) as tf.Tensor;
        await outputs.data();
        outputs.dispose();
      }
    } finally {
      tf.dispose([x, y]);
    }
  }
}
