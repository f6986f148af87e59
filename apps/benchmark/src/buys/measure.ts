import { analyze, type Cost, plan, shrink } from '@espalier/core';
import { type EngineName, useEngine } from '@espalier/engine';
import { mobileNetV2, resNet50 } from '@espalier/models/families';
import { magnitude } from '@espalier/pruner-magnitude';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

export type Network = 'resnet50' | 'mobilenetv2';
export type Side = 'before' | 'after';

export const networks: Readonly<Record<Network, (inputShape: readonly number[]) => LayersModel>> = {
  resnet50: (inputShape) => resNet50({ inputShape }),
  mobilenetv2: (inputShape) => mobileNetV2({ inputShape }),
};

/** What a thread does: half of the channels of a network go, then both infer single images by turns. */
export interface Job {
  readonly engine: EngineName;
  readonly network: Network;
  /** Of the images. */
  readonly side: number;
  readonly rounds: number;
}

/** Milliseconds of each round, and what either model costs. */
export interface Answer {
  readonly milliseconds: Readonly<Record<Side, readonly number[]>>;
  readonly cost: Readonly<Record<Side, Cost>>;
}

export async function halve({ engine, network, side, rounds }: Job): Promise<Answer> {
  await useEngine(engine);
  const whole = networks[network]([side, side, 3]);
  const half = await shrink(
    whole,
    await plan(whole, { pruner: magnitude({ norm: 'l2' }), budget: { fraction: 0.5 } }),
  );
  const models = { before: whole, after: half };
  const image = tf.randomUniform([1, side, side, 3], -1, 1, 'float32', 1);
  const milliseconds: Record<Side, number[]> = { before: [], after: [] };
  // what comes first is compiled, and is not among those that count
  for (let round = -2; round < rounds; round++) {
    const sides: Side[] = round % 2 === 0 ? ['before', 'after'] : ['after', 'before'];
    for (const which of sides) {
      const start = performance.now();
      const output = models[which].predict(image) as tf.Tensor;
      await output.data();
      output.dispose();
      if (round >= 0) milliseconds[which].push(performance.now() - start);
    }
  }
  return { milliseconds, cost: { before: analyze(whole).cost, after: analyze(half).cost } };
}
