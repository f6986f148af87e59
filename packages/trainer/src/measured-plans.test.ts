import { type Plan, type Pruner, plan, shrink } from '@espalier/core';
import { useEngine } from '@espalier/engine';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { latencyRatio } from './evaluate.ts';
import { disposeModel, evaluate, planToFloor, planToLatency, train } from './index.ts';

const magnitude: Pruner = { name: 'magnitude', score: ({ incoming }) => tf.norm(incoming, 'euclidean', 0) };

function network(hidden: readonly number[], inputs = 4): tfl.LayersModel {
  const dense = (units: number, i: number) =>
    tfl.layers.dense({
      ...{ units, activation: i < hidden.length ? 'relu' : 'softmax', name: `d${i}` },
      kernelInitializer: tfl.initializers.glorotNormal({ seed: i + 1 }),
      ...(i === 0 && { inputShape: [inputs] }),
    });
  const model = tfl.sequential({ layers: [...hidden, 3].map(dense) });
  model.compile({ optimizer: tf.train.adam(0.02), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** The class is the largest of the first three inputs. */
const examples = (rows: number, seed: number) =>
  tf.tidy(() => {
    const x = tf.randomNormal([rows, 4], 0, 1, 'float32', seed);
    const y = tf.cast(tf.oneHot(tf.argMax(tf.slice(x, [0, 0], [rows, 3]), 1), 3), 'float32');
    return { x, y };
  });

const goneIn = ({ groups }: Plan): number => groups.reduce((sum, { remove }) => sum + remove.length, 0);

beforeAll(async () => {
  if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
});

describe('planToFloor', () => {
  let data: { train: ReturnType<typeof examples>; validation: ReturnType<typeof examples> };
  let model: tfl.LayersModel;
  beforeAll(async () => {
    data = { train: examples(400, 1), validation: examples(300, 2) };
    model = network([10, 6]);
    await train(model, data, { epochs: 12 });
  });
  afterAll(() => disposeModel(model));

  const accuracyOf = async (made: Plan) => {
    const small = await shrink(model, made);
    const { accuracy } = await evaluate(small, data.validation);
    disposeModel(small);
    return accuracy;
  };

  it.each([0.9, 0.8])('goes as far as accuracy on validation data stays at %d', async (floor) => {
    const before = tf.memory().numTensors;
    const options = { pruner: magnitude, ranking: 'global' } as const;
    const made = await planToFloor(model, { ...options, floor, validation: data.validation });
    const gone = goneIn(made);
    expect(await accuracyOf(made)).toBeGreaterThanOrEqual(floor);
    const beyond = await plan(model, { ...options, budget: { count: gone + 1 } });
    expect(await accuracyOf(beyond)).toBeLessThan(floor);
    expect(made.groups).toEqual((await plan(model, { ...options, budget: { count: gone } })).groups);
    expect(made.notes.at(-1)).toMatch(
      /^accuracy: [\d.]+% of at least \d+\.00% on validation data; one step more has [\d.]+%; found by \d trials$/,
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  it('takes all that may go where nothing holds it back', async () => {
    const made = await planToFloor(model, { pruner: magnitude, floor: 0, validation: data.validation });
    expect(goneIn(made)).toBe(14);
    expect(made.notes.at(-1)).toMatch(/; no more can go; found by 1 trial$/);
  });

  it('refuses a floor that the model itself is below, and what is none', async () => {
    const { validation } = data;
    await expect(planToFloor(model, { pruner: magnitude, floor: 1, validation })).rejects.toThrow(
      /^\[trainer\] the unpruned model has an accuracy of [\d.]+% on the validation data, below the floor of 100.00%/,
    );
    await expect(planToFloor(model, { pruner: magnitude, floor: 95, validation })).rejects.toThrow(
      '[trainer] floor must be an accuracy from 0 to 1, got 95',
    );
  });
});

describe('planToLatency', () => {
  it('removes as little as gives the time of a forward pass', { tags: ['slow'], retry: 2 }, async () => {
    const model = network([600, 600], 64);
    const x = tf.randomNormal([64, 64]);
    const before = tf.memory().numTensors;
    const made = await planToLatency(model, { pruner: magnitude, latency: 0.5, x });
    expect(tf.memory().numTensors).toBe(before);
    expect(made.notes.at(-1)).toMatch(
      /^latency: [\d.]+% of at most 50.00% of the unpruned model's; found by \d+ trials$/,
    );
    // most of the time goes into 600 x 600 products, which shrink by the square
    const share = goneIn(made) / 1200;
    expect(share).toBeGreaterThan(0.1);
    expect(share).toBeLessThan(0.7);
    disposeModel(model);
    x.dispose();
  });

  it('goes by what a pass takes, whatever else the machine does half of the time', async () => {
    let clock = 0;
    const taking = (passes: (turn: number) => number): tfl.LayersModel => {
      const model = network([]);
      let turn = 0;
      const predict = model.predictOnBatch.bind(model);
      model.predictOnBatch = (x) => {
        clock += passes(turn++);
        return predict(x);
      };
      return model;
    };
    const time = vi.spyOn(performance, 'now').mockImplementation(() => clock);
    const x = tf.zeros([1, 4]);
    try {
      // 1 and 2 ms, three times that where something comes between
      const one = taking((turn) => (turn % 5 < 3 ? 3 : 1));
      const other = taking((turn) => (turn % 5 < 2 ? 6 : 2));
      expect(await latencyRatio(one, other, x, 31)).toBe(0.5);
    } finally {
      time.mockRestore();
      x.dispose();
    }
  });

  it('refuses a share that is none', async () => {
    const model = network([4]);
    const options = { pruner: magnitude, x: tf.zeros([1, 4]) };
    await expect(planToLatency(model, { ...options, latency: 1 })).rejects.toThrow(
      "[trainer] latency must be a share of the unpruned model's, above 0 and below 1, got 1",
    );
  });
});
