import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { analyze, type Pruner } from '@espalier/core';
import { useEngine } from '@espalier/engine';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshModel } from './fresh.ts';
import {
  type AttemptEvent,
  checkRestart,
  disposeModel,
  evaluate,
  type RestartOptions,
  restart,
} from './index.ts';
import { runFolder } from './node.ts';
import { nextSizes, takeUnits } from './restart-sizes.ts';

/** Layers that all are given the same seed. */
function network(hidden: readonly number[]): tfl.Sequential {
  const dense = (units: number, name: string, first = {}) =>
    tfl.layers.dense({
      name,
      units,
      activation: 'tanh',
      kernelInitializer: tfl.initializers.glorotUniform({ seed: 3 }),
      ...first,
    });
  const model = tfl.sequential({
    layers: [
      ...hidden.map((units, i) => dense(units, `d${i + 1}`, i === 0 ? { inputShape: [6] } : {})),
      tfl.layers.dense({ name: 'out', units: 3, activation: 'softmax' }),
    ],
  });
  const optimizer = tf.train.adam(0.05);
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** Three classes by the sign of two sums: one unit can't tell them apart, three can. */
function examples(rows: number, seed: number): { x: tf.Tensor; y: tf.Tensor } {
  return tf.tidy(() => {
    const x = tf.randomNormal([rows, 6], 0, 1, 'float32', seed);
    const above = (start: number) => tf.greater(tf.sum(tf.slice(x, [0, start], [rows, 3]), 1), 0);
    const label = tf.add(tf.cast(above(0), 'int32'), tf.cast(above(3), 'int32'));
    return { x, y: tf.cast(tf.oneHot(label, 3), 'float32') };
  });
}

const weightsOf = (model: Pick<tfl.LayersModel, 'getWeights'>): number[][] =>
  model.getWeights().map((weight) => Array.from(weight.dataSync()));

beforeAll(async () => {
  if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
});

/** An attempt of which only its size matters, and whether it held. */
const tried = (units: number, held: boolean, spare?: number): AttemptEvent => ({
  type: 'attempt',
  attempt: 0,
  groups: [{ id: 'd1', units, ...(spare !== undefined && { spare }) }],
  trials: [{ seed: 0, epochs: 1, accuracy: 0.9 }],
  accuracy: 0.9,
  target: 0.9,
  held,
  seconds: 1,
});

/** The sizes that a search goes through if those of `smallest` units or more hold. */
function search(full: number, smallest: number, step: number, least = 1): number[] {
  const attempts = [tried(full, true)];
  for (let sizes = nextSizes(attempts, { step, least }); sizes; ) {
    attempts.push(tried(sizes.d1!, sizes.d1! >= smallest));
    sizes = nextSizes(attempts, { step, least });
  }
  return attempts.map(({ groups }) => groups[0]!.units);
}

describe('the sizes of a search', () => {
  it('go down one by one until one fails', () => {
    expect(search(10, 7, 1)).toEqual([10, 9, 8, 7, 6]);
  });

  it('go down by steps, then halve them between what held and what failed', () => {
    expect(search(64, 50, 8)).toEqual([64, 56, 48, 52, 50, 49]);
    expect(search(64, 64, 8)).toEqual([64, 56, 60, 62, 63]);
  });

  it('end at the least, and at one unit', () => {
    expect(search(10, 1, 4, 5)).toEqual([10, 6, 5]);
    expect(search(3, 1, 1)).toEqual([3, 2, 1]);
    expect(search(4, 1, 1, 9)).toEqual([4]);
  });

  it('find the smallest that holds, in few attempts, none twice', () => {
    const size = fc.integer({ min: 1, max: 300 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 64 }), (a, b, step) => {
        const [smallest, full] = [Math.min(a, b), Math.max(a, b)];
        const sizes = search(full, smallest, step);
        expect(Math.min(...sizes.filter((units) => units >= smallest))).toBe(smallest);
        expect(new Set(sizes).size).toBe(sizes.length);
        expect(sizes.length).toBeLessThanOrEqual(
          2 + Math.ceil((full - smallest) / step) + Math.ceil(Math.log2(step)),
        );
      }),
    );
  });
});

describe('the groups that lose units', () => {
  const groups = (...sizes: readonly (readonly [units: number, spare?: number])[]) =>
    sizes.map(([units, spare], i) => ({ id: `d${i}`, units, ...(spare !== undefined && { spare }) }));

  it('are those that have some to spare, in proportion', () => {
    expect(takeUnits(groups([20, 6], [20, 2], [20, 0]), 4)).toEqual({ d0: 17, d1: 19, d2: 20 });
  });

  it('lose in proportion to their sizes if nobody knows better', () => {
    expect(takeUnits(groups([20], [10]), 6)).toEqual({ d0: 16, d1: 8 });
    expect(takeUnits(groups([20, 0], [10, 0]), 6)).toEqual({ d0: 16, d1: 8 });
  });

  it('keep a unit each; the others give more then', () => {
    expect(takeUnits(groups([3, 2], [10, 0]), 5)).toEqual({ d0: 1, d1: 7 });
  });
});

describe('freshModel', () => {
  it('has the sizes, the loss and the settings, and weights that follow from the seed alone', async () => {
    const template = network([12, 12]);
    const make = (seed: string) => freshModel(template, { d1: 5, d2: 7 }, seed);
    const [first, again, other] = [await make('1'), await make('1'), await make('2')];
    expect(analyze(first).groups.map(({ size }) => size)).toEqual([5, 7, 3]);
    expect(first.loss).toBe(template.loss);
    expect(first.optimizer.getConfig()).toEqual(template.optimizer.getConfig());
    expect(first.optimizer).not.toBe(template.optimizer);
    expect(weightsOf(again)).toEqual(weightsOf(first));
    expect(weightsOf(other)).not.toEqual(weightsOf(first));
  });

  it('draws from the initializers, for each layer its own, and by their rule', async () => {
    const template = network([40, 40, 40]);
    const before = weightsOf(template);
    // the given seeds make two layers of one shape alike
    expect(before[4]).toEqual(before[2]);
    const fresh = weightsOf(await freshModel(template, { d1: 40, d2: 40, d3: 40 }, 'a'));
    expect(fresh[4]).not.toEqual(fresh[2]);
    expect(fresh[2]).not.toEqual(before[2]);
    const bound = Math.sqrt(6 / 80);
    expect(Math.max(...fresh[2]!.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...fresh[2]!.map(Math.abs))).toBeGreaterThan(0.95 * bound);
    expect(fresh[3]!.every((bias) => bias === 0)).toBe(true);
    expect(weightsOf(template)).toEqual(before);
  });

  it('starts its optimizer anew, and keeps what is frozen', async () => {
    const data = examples(60, 1);
    const template = network([6, 6]);
    template.getLayer('d1').trainable = false;
    template.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' });
    await template.fit(data.x, data.y, { epochs: 1, verbose: 0 });
    const fresh = await freshModel(template, { d2: 4 }, 'a');
    expect(weightsOf(fresh.getLayer('d1'))).toEqual(weightsOf(template.getLayer('d1')));
    const [, ...slots] = await template.optimizer.getWeights();
    expect(slots.length).toBeGreaterThan(0);
    expect(await fresh.optimizer.getWeights()).toHaveLength(1);
  });
});

describe('restart', () => {
  let data: { train: ReturnType<typeof examples>; validation: ReturnType<typeof examples> };
  beforeEach(() => {
    data = { train: examples(200, 5), validation: examples(100, 6) };
  });
  afterEach(() => tf.disposeVariables());

  const training = { epochs: 6, batchSize: 50, seed: 4 };
  const options: RestartOptions = { training, step: 4, tolerance: 5, seeds: 2 };

  it('finds a smaller network that holds, and says how', async () => {
    const template = network([12]);
    const before = weightsOf(template);
    const told: AttemptEvent[] = [];
    const { model, units, attempts, epochs } = await restart(template, data, {
      ...options,
      onAttempt: (event) => void told.push(event),
    });
    expect(weightsOf(template)).toEqual(before);
    expect(told).toEqual(attempts);
    expect(attempts[0]).toMatchObject({
      attempt: 0,
      groups: [{ id: 'd1', units: 12 }],
      trials: [
        { seed: 4, epochs: 6 },
        { seed: 5, epochs: 6 },
      ],
      held: true,
    });
    for (const { accuracy, target, trials, held } of attempts) {
      expect(accuracy).toBeCloseTo((trials[0]!.accuracy + trials[1]!.accuracy) / 2, 12);
      expect(target).toBeCloseTo(attempts[0]!.accuracy - 0.05, 12);
      expect(held).toBe(accuracy >= target);
    }
    const held = attempts.filter((attempt) => attempt.held).at(-1)!;
    expect(units.d1).toBeLessThan(12);
    expect(units).toEqual({ d1: held.groups[0]!.units });
    expect(attempts.some(({ groups, held }) => !held && groups[0]!.units === units.d1! - 1)).toBe(
      units.d1! > 1,
    );
    expect(analyze(model).groups[0]!.size).toBe(units.d1);
    expect((await evaluate(model, data.validation)).accuracy).toBe(
      Math.max(...held.trials.map(({ accuracy }) => accuracy)),
    );
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 6 }, (_, i) => i + 1));
  });

  it('takes units from the group in which the pruner finds them to spare', async () => {
    const second: Pruner = {
      name: 'second',
      score: ({ group, bias }) => tf.fill(bias.shape, group === 'd2' ? 0 : 1),
    };
    const { attempts } = await restart(network([8, 8]), data, {
      training: { ...training, epochs: 1 },
      tolerance: 100,
      step: 3,
      least: 12,
      pruning: { pruner: second, budget: { threshold: 0.5 } },
    });
    expect(attempts.map(({ groups }) => groups.map(({ units, spare }) => [units, spare]))).toEqual([
      [
        [8, 0],
        [8, 7],
      ],
      [
        [8, 0],
        [5, 4],
      ],
      [
        [8, 0],
        [4, 3],
      ],
    ]);
  });

  it.each([
    ['of its own', () => tf.train.adam(0.05)],
    ['by its name', () => 'rmsprop'],
  ])('leaks nothing with an optimizer %s, also when it is cut off', async (_, optimizer) => {
    const template = network([12]);
    template.compile({ optimizer: optimizer(), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const before = tf.memory().numTensors;
    const { model } = await restart(template, data, { ...options, training: { ...training, epochs: 3 } });
    disposeModel(model);
    expect(tf.memory().numTensors).toBe(before);
    const cut = restart(template, data, {
      ...options,
      onAttempt: ({ attempt }) => {
        if (attempt === 1) throw new Error('cut off');
      },
    });
    await expect(cut).rejects.toThrow('cut off');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('leaks nothing when a pruner fails after the second training of a size', async () => {
    const template = network([8, 8]);
    const before = tf.memory().numTensors;
    let asked = 0;
    const tired: Pruner = {
      name: 'tired',
      score: ({ bias }) => {
        if (++asked > 2) throw new Error('too tired');
        return tf.zerosLike(bias);
      },
    };
    const pruning = { pruner: tired, budget: { fraction: 0.5 } };
    const failing = restart(template, data, { ...options, training: { ...training, epochs: 1 }, pruning });
    await expect(failing).rejects.toThrow('too tired');
    expect(asked).toBe(3);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    ['a step is none', { step: 0 }, /step must be a whole number of at least 1, got 0/],
    ['there are no seeds', { seeds: 0.5 }, /seeds must be/],
    ['a tolerance is below 0', { tolerance: -1 }, /tolerance must be between 0 and 100/],
    ['a group is not there', { scope: ['nowhere'] }, /nowhere/],
    ['a layer to keep is not there', { keep: ['nowhere'] }, /keep names 'nowhere'/],
    ['nothing may go', { keep: ['d*'] }, /keep leaves nothing to prune/],
    ['a training makes no sense', { training: { epochs: 0 } }, /epochs/],
    [
      'the pruner may not be asked',
      { pruning: { pruner: {} as Pruner }, training: { ...training, earlyStopping: { patience: 1 } } },
      /early stopping/,
    ],
  ])('refuses to begin when %s', (_, wrong, message) => {
    expect(() => checkRestart(network([4]), { ...options, ...wrong })).toThrow(message);
  });

  it('refuses a model that is not compiled', () => {
    const bare = tfl.sequential({ layers: network([4]).layers });
    expect(() => checkRestart(bare, options)).toThrow(/compile/);
  });

  describe('interrupted', () => {
    let dir: string;
    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'espalier-restart-'));
    });
    afterAll(() => rm(dir, { recursive: true, force: true }));

    const comparable = (attempts: readonly AttemptEvent[]) =>
      attempts.map(({ seconds: _, ...attempt }) => attempt);

    it.each([0, 1, 2])('after attempt %i, comes out as if nothing had happened', async (last) => {
      const whole = await restart(network([12]), data, options);
      const folder = await runFolder(join(dir, `${last}`));
      const cut = restart(network([12]), data, {
        ...options,
        onAttempt: async (event) => {
          await folder.append(event);
          if (event.attempt === last) throw new Error('the power went');
        },
      });
      await expect(cut).rejects.toThrow('the power went');
      await appendFile(folder.recordFile, '{"type":"attempt","attem');

      const again = await runFolder(join(dir, `${last}`), { keep: true });
      const done = (await again.events()).filter((event) => event.type === 'attempt');
      expect(done).toHaveLength(last + 1);
      const made: number[] = [];
      const resumed = await restart(network([12]), data, {
        ...options,
        done,
        onAttempt: async (event) => {
          made.push(event.attempt);
          await again.append(event);
        },
      });
      expect(made[0]).toBe(last + 1);
      expect(comparable(resumed.attempts)).toEqual(comparable(whole.attempts));
      expect(weightsOf(resumed.model)).toEqual(weightsOf(whole.model));
      expect(comparable((await again.events()) as AttemptEvent[])).toEqual(comparable(whole.attempts));
    });

    it('after its last attempt, trains the one that held again', async () => {
      const whole = await restart(network([12]), data, options);
      const { model } = await restart(network([12]), data, { ...options, done: whole.attempts });
      expect(weightsOf(model)).toEqual(weightsOf(whole.model));
    });

    it('does not go on with the attempts of another search', async () => {
      const { attempts } = await restart(network([12]), data, options);
      const other = restart(network([12]), data, { ...options, step: 2, done: attempts });
      await expect(other).rejects.toThrow(/attempt 1 is of another search.*\["d1",8\].*\["d1",10\]/);
    });
  });
});
