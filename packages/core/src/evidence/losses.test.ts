import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { constraints, type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { judge } from '../plan/judge.ts';
import { plan } from '../plan/plan.ts';
import type { ScorePruner } from '../pruner.ts';
import { shrink } from '../surgery/shrink.ts';
import { liven } from '../test-models/build.ts';
import { smallMlp, smallResNet, task } from '../test-models/fixed.ts';
import { watch } from '../watch-callback.ts';

type Rows = number[][];

/** Writes down, by group, what each pattern loses with each unit. */
function witness() {
  const found: Record<string, Rows> = {};
  const pruner: ScorePruner = {
    name: 'witness',
    needs: ['losses'],
    pools: true,
    onBatchEnd({ group, losses }, state) {
      found[group] = [...(found[group] ?? []), ...(losses.arraySync() as Rows)];
      return state;
    },
    score: ({ bias }) => tf.zerosLike(bias),
  };
  return { pruner, found };
}

/** Lets one unit go before all others. */
const only = (unit: number): ScorePruner => ({
  name: `unit ${unit}`,
  score: ({ bias }) => tf.oneHot(tf.scalar(unit, 'int32'), bias.shape[0], 0, 1),
});

/** Its units are read by their own layer, too. */
function recurrent(): LayersModel {
  const model = sequential();
  // the default initializer calls chained ops, which a test would have to import
  const recurrentInitializer = 'glorotUniform';
  model.add(layers.lstm({ units: 3, inputShape: [4, 2], recurrentInitializer, name: 'cells' }));
  model.add(layers.dense({ units: 2, name: 'out' }));
  return model;
}

/** Whoever writes its weights by the layer changes them. */
function constrained(): LayersModel {
  const model = sequential();
  const norm = constraints.unitNorm({ axis: 0 });
  model.add(layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [4, 4, 1], name: 'units' }));
  model.add(layers.flatten());
  model.add(layers.dense({ units: 2, kernelConstraint: norm, name: 'out' }));
  return model;
}

const networks: Record<string, () => LayersModel> = { smallMlp, smallResNet, recurrent, constrained };

describe.each(Object.keys(networks))('losses of %s', (name) => {
  const made = () => {
    const model = networks[name]!();
    liven(model, 3);
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    return { model, ...task(model, 7) };
  };
  const perPattern = (model: LayersModel, x: tf.Tensor, y: tf.Tensor): number[] =>
    tf.tidy(() => {
      const errors = tf.squaredDifference(model.predict(x) as tf.Tensor, y);
      return Array.from(tf.mean(tf.reshape(errors, [7, -1]), 1).dataSync());
    });

  it('are those of the network without the unit', async () => {
    const { model, x, y } = made();
    const { pruner, found } = witness();
    const [verdict] = await judge(model, { pruners: [pruner], data: { x, y, batchSize: 3 } });
    const before = perPattern(model, x, y);
    for (const { id, size } of verdict!.groups) {
      for (let unit = 0; unit < size; unit++) {
        const without = await plan(model, { pruner: only(unit), scope: [id], budget: { count: 1 } });
        const losses = perPattern(await shrink(model, without), x, y);
        losses.forEach((loss, p) => {
          expect(found[id]![p]![unit]).toBeCloseTo(loss - before[p]!, 4);
        });
      }
    }
  });

  it('leave the weights as they are, bit by bit, and no tensors', async () => {
    const { model, x, y } = made();
    const { pruner } = witness();
    const weights = model.getWeights().map((weight) => weight.dataSync().slice());
    const before = tf.memory().numTensors;
    await judge(model, { pruners: [pruner], data: { x, y } });
    expect(tf.memory().numTensors).toBe(before);
    expect(model.getWeights().map((weight) => weight.dataSync())).toEqual(weights);
  });
});

describe('a pruner that needs losses', () => {
  const compiled = (loss: Parameters<LayersModel['compile']>[0]['loss']) => {
    const model = smallMlp();
    model.compile({ optimizer: tf.train.sgd(0.1), loss });
    return { model, ...task(model, 4) };
  };

  it('is told that a training has none', async () => {
    const { model, x, y } = compiled('meanSquaredError');
    const callback = watch({ pruner: witness().pruner, budget: { count: 1 } });
    await expect(model.fit(x, y, { verbose: 0, callbacks: callback })).rejects.toThrow(
      /\[witness\] .*give the pruner to plan\(model, \{ pruner, data \}\)/,
    );
    callback.dispose();
  });

  it('is told what is missing', async () => {
    const { model, x, y } = compiled('meanSquaredError');
    const options = { pruner: witness().pruner, budget: { count: 1 } };
    await expect(plan(model, options)).rejects.toThrow('give data: { x, y }');
    await expect(plan(model, { ...options, data: { x } })).rejects.toThrow('data.y must hold the targets');
    const one = compiled((targets, outputs) => tf.mean(tf.squaredDifference(targets, outputs)));
    const weights = one.model.getWeights().map((weight) => weight.dataSync().slice());
    await expect(plan(one.model, { ...options, data: { x, y } })).rejects.toThrow(
      '[core] the loss of output 0 must be a number for each example, [4, ...]',
    );
    expect(one.model.getWeights().map((weight) => weight.dataSync())).toEqual(weights);
  });
});
