import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { Callback, CustomCallback, type LayersModel } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { hold, prune } from './callback.ts';
import { byRank } from './plan/by-rank.ts';
import { plan } from './plan/plan.ts';
import { everyEpochs, oneShot, polynomial, whileAccuracy } from './plan/schedule.ts';
import type { Pruner, ScorePruner } from './pruner.ts';
import { HeldZeros } from './surgery/hold.ts';
import { mask, maskedPlan } from './surgery/mask.ts';
import { shrink } from './surgery/shrink.ts';
import { difference, outputsOf } from './test-models/compare.ts';
import { smallMlp, smallResNet, task } from './test-models/fixed.ts';
import { anyPairs, anyScores, scores } from './test-models/pruners.ts';
import { watch } from './watch-callback.ts';

const fitArgs = { batchSize: 4, shuffle: false, verbose: 0 } as const;

function compiled(make: () => LayersModel = smallMlp): LayersModel {
  const model = make();
  model.compile({ optimizer: tf.train.adam(0.02), loss: 'meanSquaredError', metrics: ['mae'] });
  return model;
}

const goneOf = (model: LayersModel) =>
  Object.fromEntries((maskedPlan(model)?.groups ?? []).map(({ id, remove }) => [id, remove.length]));

/** How many units of `first` are gone after each epoch. */
function counting(model: LayersModel): { counts: number[]; callback: CustomCallback } {
  const counts: number[] = [];
  return {
    counts,
    callback: new CustomCallback({
      onEpochEnd: async () => {
        counts.push(goneOf(model).first ?? 0);
      },
    }),
  };
}

/** The units whose outgoing weights are all 0. */
const silent = (model: LayersModel, consumer: string): number[] =>
  (model.getLayer(consumer).getWeights()[0]!.arraySync() as number[][]).flatMap((row, unit) =>
    row.every((weight) => weight === 0) ? [unit] : [],
  );

/** Sums activations, so that it must be shown some. */
const summing = (needs: Pruner['needs'] = ['activations']): ScorePruner<tf.Tensor> => ({
  name: 'summing',
  needs: needs!,
  init: (units) => tf.zeros([units]),
  onBatchEnd: ({ updates }, state) => tf.add(state, tf.sum(tf.abs(updates.incoming.gradient), [0, 1])),
  score: (_, state) => state,
});

describe('prune(pruner) in model.fit', () => {
  for (const [name, options, epochs, wanted] of [
    ['every epoch', {}, 5, [1, 2, 3, 4, 5]],
    ['every second', { schedule: everyEpochs({ every: 2 }) }, 6, [0, 1, 1, 3, 3, 5]],
    ['in the first half', { schedule: everyEpochs({ until: 0.5 }) }, 6, [1, 3, 5, 5, 5, 5]],
    ['in the second half', { schedule: everyEpochs({ from: 0.5 }) }, 6, [0, 0, 0, 1, 3, 5]],
    [
      'every second in the first 70%',
      { schedule: everyEpochs({ every: 2, until: 0.7 }) },
      6,
      [0, 2, 2, 5, 5, 5],
    ],
    ['once', { schedule: oneShot({ after: 0.6 }) }, 5, [0, 0, 5, 5, 5]],
    // 5 (1 - (1 - k / 3)^3) = 3.52, 4.81, 5
    ['by a polynomial', { schedule: polynomial({ until: 0.5 }) }, 6, [3, 4, 5, 5, 5, 5]],
  ] as const) {
    it(`reaches the budget: ${name}`, async () => {
      const model = compiled();
      const { x, y } = task(model, 8);
      const { counts, callback } = counting(model);
      const callbacks = [prune(anyScores(1), { budget: { count: { first: 5 } }, ...options }), callback];
      await model.fit(x, y, { ...fitArgs, epochs, callbacks });
      expect(counts).toEqual(wanted);
    });
  }

  it('refuses a schedule that never prunes, unless it holds what was masked before', async () => {
    const model = compiled();
    const { x, y } = task(model, 8);
    const rare = () =>
      prune(anyScores(1), { budget: { count: { first: 2 } }, schedule: everyEpochs({ every: 9 }) });
    await expect(model.fit(x, y, { ...fitArgs, epochs: 5, callbacks: [rare()] })).rejects.toThrow(
      "'every 9 epochs from 0 to 1 of them' never prunes in 5 epochs",
    );
    const often = prune(anyScores(1), { budget: { count: { first: 2 } } });
    await model.fit(x, y, { ...fitArgs, epochs: 1, callbacks: [often] });
    await model.fit(x, y, { ...fitArgs, epochs: 2, callbacks: [rare()] });
  });

  it('holds masked units at zero through later updates, while the others learn', async () => {
    const model = compiled();
    const { x, y } = task(model, 8);
    const seen: number[][] = [];
    const look = new CustomCallback({ onBatchEnd: async () => void seen.push(silent(model, 'second')) });
    const callback = prune(scores(9, 0, 9, 0, 9, 9), {
      budget: { count: { first: 2 } },
      schedule: everyEpochs({ until: 0.2 }),
    });
    const before = outputsOf(model, [x]);
    await model.fit(x, y, { ...fitArgs, epochs: 5, callbacks: [callback, look] });
    // two batches an epoch
    expect(seen).toEqual([[], [], ...Array.from({ length: 8 }, () => [1, 3])]);
    expect(difference(before, outputsOf(model, [x]))).toBeGreaterThan(1e-2);
    const small = await shrink(model);
    expect(difference(outputsOf(model, [x]), outputsOf(small, [x]))).toBeLessThan(1e-5);
    expect(small.getLayer('first').outputShape).toEqual([null, 4]);
  });

  it('forgets what was gathered where units go, and only there', async () => {
    const model = compiled();
    const { x, y } = task(model, 8);
    const batches: number[] = [];
    const counts: ScorePruner<{ seen: number }> = {
      name: 'counts',
      needs: ['updates'],
      init: () => ({ seen: 0 }),
      onBatchEnd: (_, { seen }) => ({ seen: seen + 1 }),
      // below the threshold at the second step alone
      score: ({ bias }, { seen }) => tf.fill(bias.shape, batches.push(seen) === 2 ? 0 : 1),
    };
    const callback = prune(counts, { budget: { threshold: 0.5 }, scope: ['first'] });
    await model.fit(x, y, { ...fitArgs, epochs: 1, callbacks: callback });
    // nothing went, and that can be shrunk, too
    expect((await shrink(model)).getLayer('first').outputShape).toEqual([null, 6]);
    batches.length = 0;
    await model.fit(x, y, { ...fitArgs, epochs: 4, callbacks: callback });
    expect(batches).toEqual([2, 4, 2, 4]);
  });

  it('goes on in a second fit, where the budget is still a total', async () => {
    const model = compiled();
    const { x, y } = task(model, 8);
    const callback = prune(anyScores(1), { budget: { count: { first: 2 } } });
    await model.fit(x, y, { ...fitArgs, epochs: 2, callbacks: callback });
    const gone = maskedPlan(model)?.groups;
    expect(goneOf(model)).toEqual({ first: 2 });
    await model.fit(x, y, { ...fitArgs, epochs: 2, callbacks: callback });
    expect(maskedPlan(model)?.groups).toMatchObject(gone!.map(({ id, remove }) => ({ id, remove })));
    const more = prune(anyScores(1), { budget: { count: { first: 4 } } });
    await model.fit(x, y, { ...fitArgs, epochs: 4, initialEpoch: 2, callbacks: more });
    expect(goneOf(model)).toEqual({ first: 4 });
    expect(silent(model, 'second')).toHaveLength(4);
  });

  it('two at once, each with a pruner, a schedule and evidence of its own', async () => {
    const model = compiled();
    const { x, y } = task(model, 8);
    const [one, two] = [
      prune(summing(['updates']), {
        budget: { count: 3 },
        scope: ['first'],
        schedule: everyEpochs({ until: 0.5 }),
      }),
      prune(summing(['updates']), {
        budget: { count: 2 },
        scope: ['second'],
        schedule: everyEpochs({ every: 2 }),
      }),
    ];
    const other: string[] = [];
    const look = new CustomCallback({
      onEpochEnd: async (_, logs) => void other.push(...Object.keys(logs ?? {})),
    });
    const { history } = await model.fit(x, y, { ...fitArgs, epochs: 4, callbacks: [one, look, two] });
    expect(goneOf(model)).toEqual({ first: 3, second: 2 });
    expect(silent(model, 'second')).toHaveLength(3);
    expect(silent(model, 'logits')).toHaveLength(2);
    // every score was gathered from batches: none of them is the zero that it began with
    const all = maskedPlan(model)!.groups.flatMap(({ scores: own }) => own);
    expect(all.every((score) => score !== null && score > 0)).toBe(true);
    expect(history.loss).toHaveLength(4);
    expect(other).toContain('mae');
    expect(model.layers.some((layer) => Object.hasOwn(layer, 'call'))).toBe(false);
    expect(Object.hasOwn(model.optimizer, 'applyGradients')).toBe(false);
  });

  it('two phases with gaps: each sees its own epochs alone, the second goes on from what the first left', async () => {
    const model = compiled();
    const { x, y } = task(model, 8);
    const epochsSeen = { early: new Set<number>(), late: new Set<number>() };
    let epoch = 0;
    const seeing = (name: 'early' | 'late'): ScorePruner => ({
      ...anyScores(1),
      needs: ['activations'],
      init: () => 0,
      onBatchEnd: () => {
        epochsSeen[name].add(epoch);
        return 0;
      },
    });
    const { counts, callback } = counting(model);
    const clock = new CustomCallback({
      onEpochBegin: async (begun) => {
        epoch = begun + 1;
      },
    });
    const scope = ['first'];
    const phases = [
      prune(seeing('early'), { budget: { count: 2 }, scope, schedule: everyEpochs({ until: 0.2 }) }),
      prune(seeing('late'), {
        budget: { count: 4 },
        scope,
        schedule: everyEpochs({ every: 2, from: 0.4, until: 0.8 }),
      }),
    ];
    await model.fit(x, y, { ...fitArgs, epochs: 10, callbacks: [clock, ...phases, callback] });
    expect(counts).toEqual([1, 2, 2, 2, 2, 3, 3, 4, 4, 4]);
    expect([...epochsSeen.early]).toEqual([1, 2]);
    expect([...epochsSeen.late]).toEqual([5, 6, 7, 8]);
  });

  describe('while accuracy', () => {
    /** Fits with validation accuracies as told, one for each epoch: says how many units are gone after each. */
    async function goneAt(accuracies: readonly number[], schedule = everyEpochs()): Promise<number[]> {
      const model = compiled();
      const { x, y } = task(model, 8);
      const { counts, callback } = counting(model);
      const pruning = prune(anyScores(1), {
        budget: { count: { first: 5 } },
        schedule: whileAccuracy({ floor: 0.9, schedule }),
      });
      pruning.setParams = (params) =>
        Callback.prototype.setParams.call(pruning, { ...params, metrics: ['val_acc'] });
      const hook = pruning.onEpochEnd.bind(pruning);
      pruning.onEpochEnd = (epoch, logs) => hook(epoch, { ...logs, val_acc: accuracies[epoch]! });
      await model.fit(x, y, { ...fitArgs, epochs: accuracies.length, callbacks: [pruning, callback] });
      return counts;
    }

    it('waits until the floor is reached, and ends at the first step that finds it lost', async () => {
      expect(await goneAt([0.8, 0.9, 0.95, 0.89, 0.99])).toEqual([0, 2, 3, 3, 3]);
    });

    it('looks at the accuracy only when a pruning is due', async () => {
      const accuracies = [0, 0.9, 0.1, 0.9, 0.1, 0.9];
      expect(await goneAt(accuracies, everyEpochs({ every: 2 }))).toEqual([0, 1, 1, 3, 3, 5]);
    });

    it('refuses a training without validation accuracy before its first epoch', async () => {
      const model = compiled();
      const { x, y } = task(model, 8);
      const schedule = whileAccuracy({ floor: 0.9, schedule: oneShot({ after: 1 }) });
      let begun = false;
      const look = new CustomCallback({
        onEpochBegin: async () => {
          begun = true;
        },
      });
      const pruning = prune(anyScores(1), { budget: { count: 2 }, schedule });
      const run = model.fit(x, y, { ...fitArgs, epochs: 2, callbacks: [look, pruning] });
      await expect(run).rejects.toThrow(/give validation data, and compile the model with metrics/);
      expect(begun).toBe(false);
    });

    it('reads the accuracy that TensorFlow.js logs', async () => {
      const model = smallMlp();
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['accuracy'] });
      const { x, y } = task(model, 8);
      const schedule = whileAccuracy({ floor: 0, schedule: oneShot({ after: 1 }) });
      const callbacks = prune(anyScores(1), { budget: { count: 2 }, schedule });
      await model.fit(x, y, { ...fitArgs, epochs: 2, callbacks, validationData: [x, y] });
      expect(goneOf(model)).toEqual({ first: 2, second: 2 });
    });
  });

  it('judges by several criteria in one pass, and lets partners take over', async () => {
    const model = compiled();
    const { x, y } = task(model, 8);
    const pruner = byRank({ pruners: [summing(['updates']), anyPairs(1)] });
    await model.fit(x, y, {
      ...fitArgs,
      epochs: 2,
      callbacks: prune(pruner, { budget: { count: { first: 2 } }, schedule: oneShot({ after: 0.5 }) }),
    });
    expect(goneOf(model)).toEqual({ first: 2 });
    expect(maskedPlan(model)).toMatchObject({ pruner: 'by-rank(summing, any-pairs)', compensation: 'add' });
  });

  it('prunes channels, features and nested blocks; shrink needs no plan', async () => {
    const model = compiled(smallResNet);
    const { x, y } = task(model, 8);
    const scope = ['channel', 'neuron'];
    await model.fit(x, y, {
      ...fitArgs,
      epochs: 2,
      callbacks: prune(anyScores(2), { budget: { fraction: 0.5 }, scope }),
    });
    expect(goneOf(model)).toEqual({ stem: 3, hidden: 4 });
    const small = await shrink(model);
    expect(difference(outputsOf(model, [x]), outputsOf(small, [x]))).toBeLessThan(1e-5);
    await small.fit(x, y, { ...fitArgs, epochs: 1 });
  });

  it('leaks no tensor', async () => {
    const model = compiled(smallResNet);
    const { x, y } = task(model, 6);
    await model.fit(x, y, { ...fitArgs, epochs: 1 });
    const before = tf.memory().numTensors;
    const callbacks = [
      prune(summing(['updates', 'activations', 'errors']), {
        budget: { fraction: 0.5 },
        schedule: everyEpochs({ until: 0.6 }),
      }),
      prune(anyScores(2), { budget: { fraction: 0.5 }, scope: ['feature'] }),
    ];
    await model.fit(x, y, { ...fitArgs, epochs: 4, callbacks });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('a failed fit is forgotten: the next one prunes as if it had not been', async () => {
    const model = compiled();
    const { x, y } = task(model, 8);
    let batches = 0;
    const failing: ScorePruner = {
      ...scores(0, 1),
      needs: ['activations'],
      onBatchEnd: (_, state) => {
        if (batches++ === 2) throw new Error('once');
        return state;
      },
    };
    const callback = prune(failing, { budget: { count: { first: 2 } } });
    await expect(model.fit(x, y, { ...fitArgs, epochs: 2, callbacks: callback })).rejects.toThrow('once');
    await model.fit(x, y, { ...fitArgs, epochs: 2, callbacks: callback });
    expect(goneOf(model)).toEqual({ first: 2 });
  });

  for (const [options, message] of [
    [{ budget: { fraction: 2 } }, 'budget.fraction'],
    [{ budget: undefined }, 'say how far to go'],
    [
      { schedule: { every: 5 } },
      'schedule must have steps, as that of everyEpochs({ every: 5, until: 0.7 })',
    ],
  ] as const) {
    it(`refuses ${JSON.stringify(options)} before any training`, () => {
      expect(() => prune(scores(), { budget: { count: 1 }, ...(options as object) })).toThrow(message);
    });
  }
});

describe('hold() in model.fit', () => {
  it('keeps what was masked at zero, and leaks nothing', async () => {
    const model = compiled();
    const { x, y } = task(model, 8);
    await model.fit(x, y, { ...fitArgs, epochs: 1 });
    await mask(model, await plan(model, { pruner: anyScores(1), budget: { count: { first: 3 } } }));
    const [before, tensors] = [silent(model, 'second'), tf.memory().numTensors];
    expect(before).toHaveLength(3);
    await model.fit(x, y, { ...fitArgs, epochs: 2, callbacks: hold() });
    expect(silent(model, 'second')).toEqual(before);
    expect(tf.memory().numTensors).toBe(tensors);
    await shrink(model);
    await model.fit(x, y, { ...fitArgs, epochs: 1 });
    await expect(shrink(model)).rejects.toThrow('train with prune() or hold()');
  });

  it('zeroes what a weight became, were it not a number', async () => {
    const model = compiled();
    await mask(model, await plan(model, { pruner: anyScores(1), budget: { count: { first: 3 } } }));
    const held = new HeldZeros();
    held.hold(model);
    const second = model.getLayer('second');
    const [kernel, bias] = second.getWeights();
    second.setWeights([tf.fill(kernel!.shape, Number.NaN), bias!]);
    held.zero();
    expect(silent(model, 'second')).toHaveLength(3);
    held.release();
  });
});

describe('watch({ pruner }) in model.fit', () => {
  it('makes plans by what it saw and changes nothing', async () => {
    const [watched, plain] = [compiled(), compiled()];
    const { x, y } = task(watched, 8);
    const callback = watch({ pruner: summing(['updates']), budget: { count: 1 } });
    const tensors = tf.memory().numTensors;
    await watched.fit(x, y, { ...fitArgs, epochs: 2, callbacks: callback });
    await plain.fit(x, y, { ...fitArgs, epochs: 2 });
    expect(outputsOf(watched, [x])).toEqual(outputsOf(plain, [x]));
    expect((await callback.plan()).groups.map(({ remove }) => remove.length)).toEqual([1, 1]);
    const other = await callback.plan({ count: { first: 3 } });
    expect(other.groups.map(({ remove }) => remove.length)).toEqual([3]);
    await mask(watched, other);
    await expect(callback.plan({ fraction: 7 })).rejects.toThrow('budget.fraction');
    callback.dispose();
    await expect(callback.plan()).rejects.toThrow('nothing was watched yet');
    expect(maskedPlan(watched)?.groups).toHaveLength(1);
    // the optimizers' slots alone
    expect(tf.memory().numTensors - tensors).toBe(24);
  });

  it('gathers over several fits', async () => {
    const model = compiled();
    const { x, y } = task(model, 8);
    let batches = 0;
    const pruner: ScorePruner = {
      ...scores(),
      needs: ['activations'],
      init: () => tf.zeros([1]),
      onBatchEnd: (_, state) => {
        batches++;
        return tf.add(state as tf.Tensor, 1);
      },
      score: ({ bias }, state) => tf.add(tf.zeros(bias.shape), state as tf.Tensor),
    };
    const callback = watch({ pruner, budget: { count: { first: 1 } } });
    for (let fit = 0; fit < 3; fit++) await model.fit(x, y, { ...fitArgs, epochs: 1, callbacks: callback });
    expect((await callback.plan()).groups[0]?.scores).toEqual([6]);
    expect(batches).toBe(12);
    callback.dispose();
  });

  it('lets go of the model if what was saved is of another', async () => {
    const model = compiled();
    const { x, y } = task(model, 8);
    const pruner = summing(['updates']);
    const tensors = tf.memory().numTensors;
    const callback = watch({ pruner, budget: { count: 1 } }, { first: { units: 1, states: [] } });
    await expect(model.fit(x, y, { ...fitArgs, callbacks: callback })).rejects.toThrow('1 units in group');
    const lost = tf.memory().numTensors - tensors;
    await expect(
      model.fit(x, y, {
        ...fitArgs,
        callbacks: new CustomCallback({
          onTrainBegin: () => {
            throw new Error('plain');
          },
        }),
      }),
    ).rejects.toThrow('plain');
    // what tfjs itself loses of a fit that fails
    expect(tf.memory().numTensors - tensors).toBe(2 * lost);
  });

  it('has no plan before any fit', async () => {
    await expect(watch({ pruner: scores(), budget: { count: 1 } }).plan()).rejects.toThrow(
      'pass the callback',
    );
  });
});
