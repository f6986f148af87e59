import { analyze, type Plan, plan, shrink } from '@espalier/core';
import { type EngineName, useEngine } from '@espalier/engine';
import { denseNet, resNet50 } from '@espalier/models/families';
import { magnitude } from '@espalier/pruner-magnitude';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  models,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';

export const operations = ['analyze', 'plan', 'shrink', 'rebuild'] as const;
/** `rebuild` is what TensorFlow.js alone takes for a model from the JSON of this one. */
export type Operation = (typeof operations)[number];

export type Network = 'resnet50' | 'densenet121';

export const networks: Readonly<Record<Network, () => LayersModel>> = {
  resnet50: () => resNet50({ weights: 'zeros' }),
  densenet121: () => denseNet({ weights: 'zeros' }),
};

const CHANNELS = 8;
/** Of a DenseNet-like net: a block has so many convolutions. */
const BLOCK = 20;

export type Shape = 'chain' | 'densenet-like';

/** Nets of about so many convolutions. */
export const shapes: Readonly<Record<Shape, (depth: number) => LayersModel>> = {
  chain: (depth: number): LayersModel => {
    const image = input({ shape: [8, 8, 3] });
    let tensor: SymbolicTensor = image;
    for (let i = 1; i <= depth; i++) {
      const conv = layers.conv2d({ filters: CHANNELS, kernelSize: 3, padding: 'same', activation: 'relu' });
      tensor = conv.apply(tensor) as SymbolicTensor;
    }
    const pooled = layers.globalAveragePooling2d({}).apply(tensor);
    return modelOf({ inputs: image, outputs: layers.dense({ units: 10 }).apply(pooled) as SymbolicTensor });
  },
  'densenet-like': (depth: number): LayersModel => {
    const blocks = new Array<number>(Math.max(1, Math.round(depth / BLOCK))).fill(BLOCK / 2);
    return denseNet({ inputShape: [32, 32, 3], blocks, growth: CHANNELS, classes: 10, weights: 'zeros' });
  },
};

/** Which model to make, on which engine. A plan that is given is not made: what it took would lie about in memory. */
export type Start = { readonly engine: EngineName | 'auto'; readonly plan?: Plan } & (
  | { readonly network: Network }
  | { readonly shape: Shape; readonly depth: number }
);

/** What a thread is asked for: to make a model ready, or to do something with it. */
export type Job = Start | { readonly run: Operation };

/** The seconds that the job took, the bytes of the model's weights, and what is to go. */
export interface Answer {
  readonly seconds: number;
  readonly bytes: number;
  readonly plan: Plan;
}

/** Does a thread's jobs on the model that the first of them makes. */
export class Bench {
  #model: LayersModel | undefined;
  #plan: Plan | undefined;
  #topology = '';

  async run(job: Job): Promise<Answer> {
    if ('engine' in job) await this.#prepare(job);
    const start = performance.now();
    const made = 'run' in job ? await this.#perform(this.#model!, job.run) : undefined;
    const seconds = (performance.now() - start) / 1000;
    made?.dispose();
    return { seconds, bytes: 4 * this.#model!.countParams(), plan: this.#plan! };
  }

  async #prepare(job: Start): Promise<void> {
    await useEngine(job.engine);
    const model = 'network' in job ? networks[job.network]() : shapes[job.shape](job.depth);
    this.#model = model;
    this.#plan =
      job.plan ?? (await plan(model, { pruner: magnitude({ norm: 'l2' }), budget: { fraction: 0.5 } }));
    // drawing weights would take most of the time
    this.#topology = JSON.stringify(model.toJSON(null, false), (key, value) =>
      key.endsWith('_initializer') ? { class_name: 'Zeros', config: {} } : value,
    );
  }

  async #perform(model: LayersModel, operation: Operation): Promise<LayersModel | undefined> {
    if (operation === 'analyze') analyze(model);
    else if (operation === 'plan')
      await plan(model, { pruner: magnitude({ norm: 'l2' }), budget: { fraction: 0.5 } });
    else if (operation === 'shrink') return shrink(model, this.#plan!);
    else {
      const modelTopology = JSON.parse(this.#topology);
      return models.modelFromJSON({ modelTopology } as Parameters<typeof models.modelFromJSON>[0]);
    }
    return undefined;
  }
}
