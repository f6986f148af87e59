import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  analyze,
  byRank,
  everyEpochs,
  none,
  oneShot,
  type Pruner,
  shrink,
  whileAccuracy,
} from '@espalier/core';
import { useEngine } from '@espalier/engine';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  checkTraining,
  disposeModel,
  type EpochEvent,
  evaluate,
  measureLatency,
  type RunEvent,
  sweep,
  type TrainOptions,
  type TrainState,
  train,
} from './index.ts';
import { runFolder } from './node.ts';
import { withSeed } from './seed.ts';

/** Removes units in the order of their incoming weights' lengths. */
const magnitude: Pruner = { name: 'magnitude', score: ({ incoming }) => tf.norm(incoming, 'euclidean', 0) };
/** Watches the training: sums up how far each unit's weights went. */
const travel: Pruner<tf.Tensor> = {
  name: 'travel',
  needs: ['updates'],
  init: (units) => tf.zeros([units]),
  onBatchEnd: ({ updates: { incoming } }, total) =>
    tf.add(total, tf.sum(tf.abs(tf.sub(incoming.after, incoming.before)), [0, 1])),
  score: (_, total) => total,
};

/** Judges by the first batch alone that it has seen. */
const firstBatch: Pruner<{ batches: number; went: tf.Tensor }> = {
  name: 'first-batch',
  needs: ['updates'],
  init: (units) => ({ batches: 0, went: tf.zeros([units]) }),
  onBatchEnd: ({ updates: { incoming } }, { batches, went }) => ({
    batches: batches + 1,
    went: batches > 0 ? went : tf.sum(tf.abs(tf.sub(incoming.after, incoming.before)), [0, 1]),
  }),
  score: (_, { went }) => went,
};

function network(seed = 1, optimizer: tf.Optimizer | string = tf.train.adam(0.01)): tfl.Sequential {
  const dense = (units: number, n: number, activation: 'relu' | 'softmax', first = {}) =>
    tfl.layers.dense({
      name: `d${n}`,
      units,
      activation,
      kernelInitializer: tfl.initializers.glorotNormal({ seed: seed * 10 + n }),
      ...first,
    });
  const model = tfl.sequential({
    layers: [
      dense(16, 1, 'relu', { inputShape: [6] }),
      tfl.layers.dropout({ rate: 0.1 }),
      dense(12, 2, 'relu'),
      dense(3, 3, 'softmax'),
    ],
  });
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** Three classes by the sign of two sums; learnable, not trivial. */
function examples(rows: number, seed: number): { x: tf.Tensor; y: tf.Tensor } {
  return tf.tidy(() => {
    const x = tf.randomNormal([rows, 6], 0, 1, 'float32', seed);
    const above = (start: number) => tf.greater(tf.sum(tf.slice(x, [0, start], [rows, 3]), 1), 0);
    const label = tf.add(tf.cast(above(0), 'int32'), tf.cast(above(3), 'int32'));
    return { x, y: tf.cast(tf.oneHot(label, 3), 'float32') };
  });
}

const cutOff = (now: boolean): void => {
  if (now) throw new Error('cut off');
};

const valuesOf = async (model: tfl.LayersModel) =>
  Promise.all(model.getWeights().map(async (weight) => Array.from(await weight.data())));

beforeAll(async () => {
  if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
});

describe('train', () => {
  let data: { train: ReturnType<typeof examples>; validation: ReturnType<typeof examples> };
  beforeEach(() => {
    data = { train: examples(300, 5), validation: examples(60, 6) };
  });
  afterEach(() => {
    tf.disposeVariables();
  });

  it('gives the same weights for the same seed, and others for another', async () => {
    const runs = [];
    for (const seed of [7, 7, 8]) {
      const { model } = await train(network(), data, { epochs: 2, seed });
      runs.push(await valuesOf(model));
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).not.toEqual(runs[0]);
  });

  it('leaves Math.random as it was, also after a failure', async () => {
    const { random } = Math;
    await expect(
      withSeed(1, async () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(Math.random).toBe(random);
  });

  it('gives trainings that run at once what they give alone', async () => {
    const { random } = Math;
    const alone = [];
    for (const seed of [7, 8])
      alone.push(await valuesOf((await train(network(), data, { epochs: 2, seed })).model));
    const both = await Promise.all([7, 8].map((seed) => train(network(), data, { epochs: 2, seed })));
    expect(await Promise.all(both.map(({ model }) => valuesOf(model)))).toEqual(alone);
    expect(Math.random).toBe(random);
  });

  it('takes no turn for ever: a training may begin in a hook of another, or after one that failed', async () => {
    const { random } = Math;
    const fails = network(1, tf.train.sgd(1e30));
    const [failed, done] = await Promise.allSettled([
      train(fails, data, { epochs: 1 }),
      train(network(), data, {
        epochs: 2,
        onEpochEnd: async () => void (await train(network(2), data, { epochs: 1 })),
      }),
    ]);
    expect([failed.status, done.status]).toEqual(['rejected', 'fulfilled']);
    expect(Math.random).toBe(random);
  });

  it('reaches the budget by equal steps, really shrinking the model', async () => {
    const events: RunEvent[] = [];
    const { model, plans } = await train(network(), data, {
      epochs: 6,
      pruning: {
        pruner: magnitude,
        budget: { fraction: 0.5 },
        schedule: everyEpochs({ every: 2, until: 0.7 }),
        compensation: none(),
      },
      onEvent: (event) => void events.push(event),
    });
    expect(plans).toHaveLength(2);
    const sizes = Object.fromEntries(analyze(model).groups.map(({ id, size }) => [id, size]));
    expect(sizes).toMatchObject({ d1: 8, d2: 6 });
    expect(events.map((event) => event.type)).toEqual([
      ...['epoch', 'epoch', 'evaluate', 'prune', 'epoch', 'epoch', 'prune', 'epoch', 'epoch'],
    ]);
    const prunes = events.filter((event) => event.type === 'prune');
    expect(prunes.map(({ groups }) => groups.map(({ before, after }) => [before, after]))).toEqual([
      [
        [16, 12],
        [12, 9],
      ],
      [
        [12, 8],
        [9, 6],
      ],
    ]);
  });

  describe('removes by masks', () => {
    const masking = { removal: 'mask' } as const;
    const pruning = {
      pruner: magnitude,
      budget: { fraction: 0.5 },
      schedule: everyEpochs({ every: 2, until: 0.7 }),
    };
    /** The units of a group whose outgoing weights are all 0. */
    const silent = async (model: tfl.LayersModel, consumer: string) =>
      ((await model.getLayer(consumer).getWeights()[0]!.array()) as number[][]).flatMap((row, unit) =>
        row.every((weight) => weight === 0) ? [unit] : [],
      );

    it('in the given model, and holds them while it trains on', async () => {
      const given = network();
      const zeros: number[] = [];
      const { model, plans } = await train(given, data, {
        ...masking,
        epochs: 6,
        pruning,
        onEpochEnd: async () => void zeros.push((await silent(given, 'd2')).length),
      });
      expect(model).toBe(given);
      expect(zeros).toEqual([0, 4, 4, 8, 8, 8]);
      expect(await silent(model, 'd2')).toEqual(plans.at(-1)!.groups[0]!.remove);
      const small = await shrink(model);
      expect(analyze(small).groups.map(({ size }) => size)).toEqual([8, 6, 3]);
      expect((await evaluate(small, data.validation)).accuracy).toBe(
        (await evaluate(model, data.validation)).accuracy,
      );
    });

    it.each([
      ['weights', magnitude],
      ['updates', travel],
    ] as const)('by the same steps and records as when it shrinks, judged by %s', async (_, pruner) => {
      const steps = [];
      for (const removal of ['mask', 'shrink'] as const) {
        const { events } = await train(network(), data, {
          epochs: 6,
          removal,
          pruning: { ...pruning, pruner: pruner as Pruner },
        });
        steps.push(
          events.flatMap((event) =>
            event.type === 'prune' ? [[event.groups, event.before, event.after]] : [],
          ),
        );
      }
      expect(steps[0]).toHaveLength(2);
      expect(steps[0]).toEqual(steps[1]);
    });

    it('and leaks nothing, nor when a hook throws', async () => {
      const count = async (epochs: number) => {
        const given = network();
        const run = train(given, data, {
          ...masking,
          epochs,
          pruning: { ...pruning, pruner: travel as Pruner },
          onEpochEnd: ({ epoch }) => cutOff(epoch === 5),
        });
        await (epochs > 4 ? expect(run).rejects.toThrow('cut off') : run);
        disposeModel(given);
        return tf.memory().numTensors;
      };
      const first = await count(4);
      expect(await count(4)).toBe(first);
      expect(await count(6)).toBe(first);
    });
  });

  describe('in phases', () => {
    const early = {
      pruner: travel as Pruner,
      budget: { count: 2 },
      scope: ['d1'],
      schedule: everyEpochs({ until: 0.25 }),
    };
    const late = {
      pruner: magnitude,
      budget: { count: 6 },
      scope: ['d1'],
      schedule: everyEpochs({ every: 2, from: 0.5 }),
    };

    it.each(['shrink', 'mask'] as const)('goes on from what the one before left (%s)', async (removal) => {
      const { events } = await train(network(), data, { epochs: 8, removal, pruning: [early, late] });
      const prunings = events.flatMap((event) =>
        event.type === 'prune' ? [[event.epoch, event.pruner, event.groups[0]!.after]] : [],
      );
      expect(prunings).toEqual([
        [1, 'travel', 15],
        [2, 'travel', 14],
        // 2 + (6 - 2) k / 2
        [6, 'magnitude', 12],
        [8, 'magnitude', 10],
      ]);
    });

    it('gathers evidence in its phase alone', async () => {
      const seen = new Set<number>();
      let epoch = 1;
      const watchful: Pruner<tf.Tensor> = {
        ...travel,
        onBatchEnd: ({ updates: { incoming } }) => {
          seen.add(epoch);
          return tf.sum(incoming.after, [0, 1]);
        },
      };
      const schedule = everyEpochs({ every: 2, from: 0.25, until: 0.8 });
      await train(network(), data, {
        epochs: 8,
        pruning: { pruner: watchful as Pruner, budget: { count: 2 }, schedule },
        onEpochEnd: () => void epoch++,
      });
      expect([...seen]).toEqual([3, 4, 5, 6]);
    });

    it('that fall together prune one after the other, if no shrinking takes away what another saw', async () => {
      const both = [early, { ...early, scope: ['d2'] }];
      const options = { epochs: 4, pruning: both };
      expect(() => checkTraining(network(), options)).toThrow(/after epoch 1, .* byRank.* removal: 'mask'/);
      const { plans } = await train(network(), data, { ...options, removal: 'mask' });
      expect(plans.at(-1)!.groups.map(({ id, remove }) => [id, remove.length])).toEqual([
        ['d1', 2],
        ['d2', 2],
      ]);
    });

    it('that fall together with one that watches the training prune after it, in whatever order they are given', async () => {
      const mixed = [early, { ...early, pruner: magnitude, scope: ['d2'] }];
      for (const pruning of [mixed, [...mixed].reverse()]) {
        const { model, plans } = await train(network(), data, { epochs: 4, pruning });
        expect(analyze(model).groups.map(({ size }) => size)).toEqual([14, 10, 3]);
        expect(plans.map(({ pruner }) => pruner)).toEqual(['travel', 'magnitude']);
      }
    });
  });

  describe('while accuracy holds', () => {
    const above = (floor: number) => ({
      pruner: magnitude,
      budget: { fraction: 0.9 },
      schedule: whileAccuracy({ floor, schedule: everyEpochs() }),
    });

    it('prunes at the epochs that have it, up to the first that lost it', async () => {
      const { events } = await train(network(), data, { epochs: 12, seed: 2, pruning: above(0.7) });
      const epochs = events.flatMap((event) => (event.type === 'epoch' ? [event] : []));
      const good = epochs.map(({ valAccuracy }) => valAccuracy! >= 0.7);
      const first = good.indexOf(true);
      const lost = good.indexOf(false, first);
      const wanted = good.flatMap((_, i) => (i >= first && i < lost ? [i + 1] : []));
      // it is reached, and lost while there was more to prune
      expect([first > 0, lost > first && lost < 11]).toEqual([true, true]);
      expect(events.flatMap((event) => (event.type === 'prune' ? [event.epoch] : []))).toEqual(wanted);
    });

    it('says what it needs before it begins', async () => {
      const run = train(network(), { train: data.train }, { epochs: 2, pruning: above(0.5) });
      await expect(run).rejects.toThrow(/give validation data/);
      const blind = network();
      blind.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
      expect(() => checkTraining(blind, { epochs: 2, pruning: above(0.5) })).toThrow(/metrics/);
    });
  });

  it('measures the unpruned model once, before the first pruning', async () => {
    const { events } = await train(network(), data, {
      epochs: 4,
      pruning: { pruner: magnitude, budget: { fraction: 0.5 }, schedule: everyEpochs({ every: 2 }) },
    });
    const measured = events.filter((event) => event.type === 'evaluate');
    expect(measured).toMatchObject([{ stage: 'unpruned', split: 'validation' }]);
    const epoch = events[events.indexOf(measured[0]!) - 1] as EpochEvent;
    expect(epoch.epoch).toBe(2);
    expect(measured[0]!.accuracy).toBeCloseTo(epoch.valAccuracy!, 6);
  });

  it('hands the training itself to a pruner that looks at updates', async () => {
    const { model, plans } = await train(network(), data, {
      epochs: 3,
      pruning: { pruner: travel, budget: { count: 4 }, schedule: everyEpochs({ every: 2 }) },
    });
    expect(plans).toHaveLength(1);
    expect(analyze(model).groups.map(({ size }) => size)).toEqual([12, 8, 3]);
  });

  it('goes on with the optimizer: pruning nothing changes nothing', async () => {
    const { model: plain } = await train(network(), data, { epochs: 4, seed: 3 });
    const { model: pruned } = await train(network(), data, {
      epochs: 4,
      seed: 3,
      pruning: { pruner: magnitude, budget: { fraction: 0 } },
    });
    expect(await valuesOf(pruned)).toEqual(await valuesOf(plain));
  });

  it('learns, and evaluate says how well', async () => {
    const model = network();
    const before = await evaluate(model, data.validation);
    await train(model, data, { epochs: 25 });
    const after = await evaluate(model, data.validation);
    expect(after.accuracy).toBeGreaterThan(Math.max(before.accuracy, 0.8));
    expect(after.confusion.flat().reduce((a, b) => a + b, 0)).toBe(60);
    const right = after.confusion.reduce((total, row, i) => total + row[i]!, 0);
    expect(after.accuracy).toBeCloseTo(right / 60, 10);
    const [loss] = model.evaluate(data.validation.x, data.validation.y) as tf.Scalar[];
    expect(after.loss).toBeCloseTo((await loss!.data())[0]!, 4);
  });

  it('stops early when the validation loss stops to fall', async () => {
    const model = network(1, tf.train.sgd(0));
    const { events, stopped } = await train(model, data, { epochs: 50, earlyStopping: { patience: 3 } });
    expect(events).toHaveLength(4);
    expect(stopped).toMatch(/3 epochs/);
  });

  it('waits anew after a pruning, and goes on waiting after an interruption', async () => {
    const settings = { epochs: 50, earlyStopping: { patience: 3 } };
    const pruning = { pruner: magnitude, budget: { count: 4 }, schedule: oneShot({ after: 0.1 }) };
    // a rate of 0 never gets better: the fifth epoch ends the waiting by its pruning
    const model = network(1, tf.train.sgd(0));
    const { events } = await train(model, data, { ...settings, earlyStopping: { patience: 5 }, pruning });
    expect(events.map(({ type }) => type)).toEqual([
      ...Array(5).fill('epoch'),
      'evaluate',
      'prune',
      ...Array(6).fill('epoch'),
    ]);

    let state: TrainState | undefined;
    const onEpochEnd = (reached: TrainState) => {
      state = JSON.parse(JSON.stringify({ ...reached, model: null }));
      if (reached.epoch === 3) throw new Error('cut off');
    };
    const still = network(1, tf.train.sgd(0));
    await expect(train(still, data, { ...settings, onEpochEnd })).rejects.toThrow('cut off');
    const resumed = await train(still, data, { ...settings, resume: state! });
    expect(resumed.events.map((event) => 'epoch' in event && event.epoch)).toEqual([4]);
    expect(resumed.stopped).toMatch(/3 epochs/);
  });

  it('says what to do when the loss is lost', async () => {
    const model = network(1, tf.train.sgd(1e30));
    await expect(train(model, data, { epochs: 5 })).rejects.toThrow(
      /diverged in epoch 1 .* lower the learning rate, or look for NaN in the data$/,
    );
    const later = network();
    const run = train(later, data, {
      epochs: 3,
      onEpochEnd: () =>
        later.setWeights(later.getWeights().map((weight) => tf.fill(weight.shape, Number.NaN))),
    });
    await expect(run).rejects.toThrow(/epoch 2 .* Earlier checkpoints, if there are any, are as they were/);
  });

  it('refuses what makes no sense', async () => {
    const bare = tfl.sequential({ layers: [tfl.layers.dense({ units: 3, inputShape: [6] })] });
    await expect(train(bare, data, { epochs: 1 })).rejects.toThrow(/compile/);
    await expect(train(network(), data, { epochs: 0 })).rejects.toThrow(/epochs/);
    const pruning = { pruner: magnitude, budget: { fraction: 0.5 }, schedule: everyEpochs({ every: 10 }) };
    await expect(train(network(), data, { epochs: 5, pruning })).rejects.toThrow(/never prunes/);
  });

  it('checks what makes no sense before it begins, and on request', () => {
    const pruning = { pruner: magnitude, budget: { fraction: 0.5 } };
    const check = (options: object) => () =>
      checkTraining(network(), { epochs: 5, pruning: { ...pruning, ...options } });
    expect(check({})).not.toThrow();
    expect(check({ budget: undefined })).toThrow(/how far/);
    expect(check({ scope: ['nowhere'] })).toThrow(/nowhere/);
    expect(check({ budget: { count: { d9: 1 } } })).toThrow(/d9/);
    expect(() => checkTraining(network(), { epochs: 5, earlyStopping: { patience: 0 } })).toThrow(/patience/);
  });

  it('tells of each plan before it is carried out', async () => {
    const told: string[] = [];
    const { plans } = await train(network(), data, {
      epochs: 4,
      pruning: { pruner: magnitude, budget: { fraction: 0.5 }, schedule: everyEpochs({ every: 2 }) },
      onPlan: (plan, epoch) => void told.push(`plan ${epoch} ${plan.pruner}`),
      onEvent: ({ type }) => void told.push(type),
    });
    expect(told).toEqual([
      ...['epoch', 'epoch', 'evaluate', 'plan 2 magnitude', 'prune'],
      ...['epoch', 'epoch', 'plan 4 magnitude', 'prune'],
    ]);
    expect(plans).toHaveLength(2);
  });

  it.each(['adam', 'sgd', 'rmsprop', 'adamax'])(
    'frees each thing once with %s by its name: the given model trains on, none is left',
    async (optimizer) => {
      const given = network(1, optimizer);
      await train(given, data, { epochs: 1 });
      const before = tf.memory().numTensors;
      const pruning = { pruner: magnitude, budget: { fraction: 0.5 } };
      const { model, plans } = await train(given, data, { epochs: 3, pruning });
      expect(plans).toHaveLength(3);
      disposeModel(model);
      // fewer: tensors of others went with those that were disposed twice
      expect(tf.memory().numTensors).toBe(before);
      await train(given, data, { epochs: 2 });
      const settings = { pruner: magnitude, counts: { d1: 9 }, examples: data.validation };
      await sweep(given, { ...settings, split: 'validation', series: 'magnitude', points: 3 });
      await train(given, data, { epochs: 2 });
      expect(tf.memory().numTensors).toBe(before);
      expect((await valuesOf(given)).flat().every(Number.isFinite)).toBe(true);
      disposeModel(given);
    },
  );

  it('disposes a model and its optimizer once, whoever owns it', async () => {
    const dense = () => tfl.layers.dense({ units: 3, inputShape: [6], activation: 'softmax' });
    const functional = () => {
      const inputs = tfl.input({ shape: [6] });
      return tfl.model({ inputs, outputs: dense().apply(inputs) as tfl.SymbolicTensor });
    };
    for (const make of [() => tfl.sequential({ layers: [dense()] }), functional]) {
      for (const optimizer of ['adam', () => tf.train.adam(0.01)]) {
        const before = tf.memory().numTensors;
        const model = make();
        model.compile({
          optimizer: typeof optimizer === 'string' ? optimizer : optimizer(),
          loss: 'categoricalCrossentropy',
        });
        await train(model, data, { epochs: 1 });
        // a copy shares the values: a second dispose of the original would take them
        const { accBeta1 } = model.optimizer as unknown as { readonly accBeta1: tf.Variable };
        const copy = tf.clone(accBeta1);
        disposeModel(model);
        expect(copy.dataSync()[0]).toBeGreaterThan(0);
        copy.dispose();
        expect(tf.memory().numTensors).toBe(before);
      }
    }
    const before = tf.memory().numTensors;
    const bare = functional();
    disposeModel(bare);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    ['a hook', { onEpochEnd: ({ epoch }: TrainState) => cutOff(epoch === 4) }],
    ['a later plan', { onPlan: (_: unknown, epoch: number) => cutOff(epoch === 4) }],
    ['an event', { onEvent: (event: RunEvent) => cutOff(event.type === 'epoch' && event.epoch === 3) }],
  ])('leaks nothing when %s throws, and leaves the given model', async (_, hooks) => {
    for (const pruner of [magnitude, travel]) {
      const given = network();
      await train(given, data, { epochs: 1 });
      const before = tf.memory().numTensors;
      const pruning = {
        pruner: pruner as Pruner,
        budget: { fraction: 0.5 },
        schedule: everyEpochs({ every: 2 }),
      };
      await expect(train(given, data, { epochs: 6, pruning, ...hooks })).rejects.toThrow('cut off');
      expect(tf.memory().numTensors).toBe(before);
      await train(given, data, { epochs: 1 });
    }
  });

  it('leaks no tensors', async () => {
    const count = async () => {
      const given = network();
      const { model } = await train(given, data, {
        epochs: 3,
        pruning: { pruner: travel, budget: { fraction: 0.5 } },
      });
      for (const one of new Set([given, model])) disposeModel(one);
      return tf.memory().numTensors;
    };
    const first = await count();
    expect((await count()) - first).toBe(0);
  });

  it('sweeps over budgets without touching the model', async () => {
    const { model } = await train(network(), data, { epochs: 8 });
    const [before, weights] = [tf.memory().numTensors, await valuesOf(model)];
    const settings = {
      examples: data.validation,
      split: 'validation',
      series: 'magnitude',
      points: 3,
    } as const;
    const events = await sweep(model, { ...settings, pruner: magnitude, counts: { d1: 15, d2: 9 } });
    expect(events.map(({ removed, units }) => [removed, units])).toEqual([
      [0, 28],
      [8, 28],
      [16, 28],
      [24, 28],
    ]);
    expect(events[0]!.accuracy).toBe((await evaluate(model, data.validation)).accuracy);
    expect(events.at(-1)!.accuracy).toBeLessThan(events[0]!.accuracy);
    expect(await valuesOf(model)).toEqual(weights);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('measures latency', async () => {
    const { milliseconds, batch } = await measureLatency(network(), data.validation.x, { repeats: 3 });
    expect(milliseconds).toBeGreaterThan(0);
    expect(batch).toBe(60);
  });
});

describe('runFolder', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'espalier-run-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const one = (pruner: Pruner) => ({
    pruner,
    budget: { count: { d1: 6 } },
    scope: ['d1'],
    schedule: everyEpochs({ every: 2 }),
  });
  const scope = ['d1'];
  it.each([
    ['a smaller model', { pruning: one(magnitude) }],
    ['a masked model', { pruning: one(magnitude), removal: 'mask' }],
    // every: 2, so the third epoch's updates come from before the interruption
    ['what was seen of the training', { pruning: one(firstBatch as Pruner) }],
    [
      'what was seen of the training by several, masked',
      {
        pruning: one(byRank({ pruners: [travel as Pruner, magnitude] })),
        removal: 'mask',
      },
    ],
    [
      'the middle of a phase, and accuracies',
      {
        pruning: [
          { pruner: magnitude, budget: { count: 2 }, scope, schedule: oneShot({ after: 0.2 }) },
          {
            pruner: travel as Pruner,
            budget: { count: 7 },
            scope,
            schedule: whileAccuracy({ floor: 0.2, schedule: everyEpochs({ from: 0.4 }) }),
          },
        ],
      },
    ],
  ] satisfies [string, Partial<TrainOptions>][])(
    'resumes from %s as if nothing had happened',
    async (_, settings) => {
      const data = { train: examples(200, 5), validation: examples(40, 6) };
      const whole = await train(network(), data, { epochs: 5, seed: 2, ...settings });

      const folder = await runFolder(join(dir, 'run'));
      await expect(
        train(network(), data, {
          epochs: 5,
          seed: 2,
          ...settings,
          onEvent: folder.append,
          onEpochEnd: async (state) => {
            await folder.checkpoint(state);
            if (state.epoch === 3) throw new Error('the power went');
          },
        }),
      ).rejects.toThrow('the power went');

      const again = await runFolder(join(dir, 'run'), { keep: true });
      const state = await again.resume();
      expect(state?.epoch).toBe(3);
      const resumed = await train(state!.model, data, {
        epochs: 5,
        seed: 2,
        ...settings,
        resume: state!,
        onEvent: again.append,
      });
      expect(await valuesOf(resumed.model)).toEqual(await valuesOf(whole.model));
      const lines = (await readFile(again.recordFile, 'utf8')).trim().split('\n');
      expect(lines.map((line) => (JSON.parse(line) as RunEvent).type)).toEqual(
        whole.events.map(({ type }) => type),
      );
      await again.finish();
      expect(await again.resume()).toBeUndefined();
    },
  );

  it('says what to do when an optimizer has no state to save', async () => {
    const folder = await runFolder(join(dir, 'run'));
    const model = network(1, 'adamax');
    const onEpochEnd = folder.checkpoint;
    const run = train(model, { train: examples(60, 5) }, { epochs: 1, onEpochEnd });
    await expect(run).rejects.toThrow(/no checkpoints with Adamax.*another optimizer/);
  });

  it('makes the folders above it', async () => {
    const { recordFile } = await runFolder(join(dir, 'a', 'b', 'c'));
    expect(await readFile(recordFile, 'utf8')).toBe('');
    await expect(runFolder(join(recordFile, 'd'))).rejects.toThrow(/ENOTDIR/);
  });

  // to make folders recursively in /proc never ends
  it.each(['/dev/null/run', '/proc/espalier/run'])('says that it cannot write %s', async (path) => {
    await expect(runFolder(path)).rejects.toThrow(
      new RegExp(`can't write to ${path}: E[A-Z]+.*another folder`),
    );
  });
});
