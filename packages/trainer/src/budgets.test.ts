import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { analyze, everyEpochs, type Pruner, polynomial, shrink } from '@espalier/core';
import { useEngine } from '@espalier/engine';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { disposeModel, type TrainPruning, train } from './index.ts';
import { runFolder } from './node.ts';

const magnitude: Pruner = { name: 'magnitude', score: ({ incoming }) => tf.norm(incoming, 'euclidean', 0) };

/** 4 inputs, 16 and 12 units, 3 outputs: 80 + 204 + 39 parameters. */
function network(): tfl.LayersModel {
  const sizes = [16, 12, 3];
  const model = tfl.sequential({
    layers: sizes.map((units, i) =>
      tfl.layers.dense({
        ...{ units, activation: i < 2 ? 'relu' : 'softmax', name: `d${i}` },
        kernelInitializer: tfl.initializers.glorotNormal({ seed: i + 1 }),
        ...(i === 0 && { inputShape: [4] }),
      }),
    ),
  });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

const examples = (rows: number) =>
  tf.tidy(() => {
    const x = tf.randomNormal([rows, 4], 0, 1, 'float32', 1);
    return { x, y: tf.cast(tf.oneHot(tf.argMax(tf.slice(x, [0, 0], [rows, 3]), 1), 3), 'float32') };
  });

beforeAll(async () => {
  if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
});

describe('a budget of a cost, step by step', () => {
  // in equal steps, and by 1 - (1 - k / 4)^3
  const linear = [0.25, 0.5, 0.75, 1];
  const cubic = linear.map((done) => 1 - (1 - done) ** 3);

  it.each([
    ['linear', everyEpochs(), linear, 'shrink', 'params'],
    ['cubic', polynomial(), cubic, 'shrink', 'params'],
    ['linear', everyEpochs(), linear, 'mask', 'macs'],
    ['cubic', polynomial(), cubic, 'mask', 'bytes'],
  ] as const)('is met in %s steps of its own measure', async (_, schedule, shares, removal, measure) => {
    const data = { train: examples(60) };
    const pruning = { pruner: magnitude, budget: { [measure]: 0.3 }, schedule, ranking: 'global' };
    const options = { epochs: 4, pruning: pruning as TrainPruning, removal };
    const { model, plans } = await train(network(), data, options);
    const whole = plans[0]!.cost.before[measure];
    const unit = { params: 33, macs: 28, bytes: 132 }[measure];
    for (const [i, { cost }] of plans.entries()) {
      const most = whole - shares[i]! * 0.7 * whole;
      expect(cost.after[measure]).toBeLessThanOrEqual(most);
      // a unit has so many at most
      expect(cost.after[measure]).toBeGreaterThan(most - unit);
    }
    const small = removal === 'mask' ? await shrink(model) : model;
    expect(analyze(small).cost[measure]).toBe(plans.at(-1)!.cost.after[measure]);
    tf.dispose([data.train.x, data.train.y]);
  });
});

it('a checkpoint keeps Adam’s running powers to the bit, however many steps there were', async () => {
  const data = { train: examples(640) };
  const folder = await mkdtemp(join(tmpdir(), 'espalier-powers-'));
  const powersOf = async (model: tfl.LayersModel) => {
    const { accBeta1, accBeta2 } = model.optimizer as unknown as Record<'accBeta1' | 'accBeta2', tf.Variable>;
    return [...(await accBeta1.data()), ...(await accBeta2.data())];
  };
  try {
    const run = await runFolder(folder);
    const model = network();
    for (const epochs of [1, 2, 3]) {
      // 40 steps each
      await train(model, data, { epochs: 1, batchSize: 16, onEpochEnd: run.checkpoint });
      const resumed = (await run.resume())!.model;
      expect(await powersOf(resumed), `${epochs} epochs`).toEqual(await powersOf(model));
      disposeModel(resumed);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
