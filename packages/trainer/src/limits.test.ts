import { everyEpochs, oneShot, type Plan, type Pruner, type Weights } from '@espalier/core';
import { useEngine } from '@espalier/engine';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { disposeModel, type TrainOptions, type TrainPruning, type TrainState, train } from './index.ts';

/** The units of `wide` are worth a tenth of the others. */
const worth = ({ group, bias }: Weights): tf.Tensor =>
  tf.mul(tf.range(1, bias.shape[0] + 1), group === 'wide' ? 0.1 : 1);
const fixedWorth: Pruner = { name: 'fixed-worth', comparable: true, score: worth };
/** The same by watching the training. */
const watching: Pruner = {
  name: 'watching',
  comparable: true,
  needs: ['updates'],
  onBatchEnd: (_, state) => state,
  score: worth,
};

const network = (): tfl.LayersModel => {
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 20, activation: 'relu', inputShape: [4], name: 'wide' }),
      tfl.layers.dense({ units: 12, activation: 'relu', name: 'middle' }),
      tfl.layers.dense({ units: 8, activation: 'relu', name: 'narrow' }),
      tfl.layers.dense({ units: 3, activation: 'softmax', name: 'out' }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
};

/** How many units are left of `wide`, `middle` and `narrow` after each pruning. */
async function sizesAfter(pruning: TrainPruning, options: Partial<TrainOptions> = {}): Promise<number[][]> {
  const [model, examples] = [network(), data()];
  const start = { wide: 20, middle: 12, narrow: 8 };
  const left = (plans: readonly Plan[]): number[] =>
    Object.entries(start).map(([id, size]) => {
      const of = plans.flatMap(({ groups }) => groups.filter((group) => group.id === id));
      const gone =
        options.removal === 'mask'
          ? (of.at(-1)?.remove.length ?? 0)
          : sum(of.map(({ remove }) => remove.length));
      return size - gone;
    });
  const result = await train(model, { train: examples }, { epochs: 4, pruning, ...options });
  for (const one of new Set([model, result.model])) disposeModel(one);
  tf.dispose([examples.x, examples.y]);
  return result.plans.map((_, i) => left(result.plans.slice(0, i + 1)));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

function data() {
  const x = tf.randomNormal([32, 4], 0, 1, 'float32', 1);
  const y = tf.tidy(() => tf.cast(tf.oneHot(tf.argMax(tf.slice(x, [0, 0], [-1, 3]), 1), 3), 'float32'));
  return { x, y };
}

let tensors = 0;
beforeAll(async () => {
  await useEngine('wasm');
});
beforeEach(() => {
  tensors = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors, 'tensors').toBe(tensors);
});

describe('in a training', () => {
  it.each([
    [fixedWorth, 'shrink'],
    [fixedWorth, 'mask'],
    [watching, 'shrink'],
  ] as const)('all groups share one budget over its steps: %o by %s', async (pruner, removal) => {
    const pruning = { pruner, budget: { fraction: 0.5 }, ranking: 'global' } as const;
    const sizes = await sizesAfter(pruning, { removal });
    // 5, 10, 15 and 20 of 40 are gone
    expect(sizes.map(sum)).toEqual([35, 30, 25, 20]);
    // ten units of wide are worth less than one of the others; scores count anew when a model has shrunk
    expect(sizes[0]).toEqual([15, 12, 8]);
    expect(sizes[1]).toEqual([10, 12, 8]);
  });

  it('layers stay, and multiples and least numbers hold after each step', async () => {
    const sizes = await sizesAfter({
      pruner: fixedWorth,
      budget: { fraction: 0.75 },
      keep: ['mid*'],
      roundTo: 4,
      minUnits: 6,
      schedule: everyEpochs(),
    });
    // 3, 7, 11, 15 of 20 and 1, 3, 4, 6 of 8 should be gone
    expect(sizes).toEqual([
      [20, 12, 8],
      [16, 12, 8],
      [12, 12, 8],
      [8, 12, 8],
    ]);
  });

  it.each(['shrink', 'mask'] as const)(
    'a pattern may mean layers without units among others: %s',
    async (removal) => {
      const sizes = await sizesAfter(
        { pruner: fixedWorth, budget: { fraction: 0.5 }, keep: ['wide*'], schedule: oneShot({ after: 0.5 }) },
        { removal },
      );
      // wide_input is a layer, too
      expect(sizes).toEqual([[20, 6, 4]]);
    },
  );

  it('goes on after an interruption as if nothing had happened', async () => {
    const pruning: TrainPruning = {
      pruner: fixedWorth,
      budget: { count: 12 },
      ranking: 'isomorphic',
      keep: ['narrow'],
    };
    const states: TrainState[] = [];
    const [model, examples] = [network(), data()];
    const whole = await train(
      model,
      { train: examples },
      {
        epochs: 4,
        pruning,
        onEpochEnd: (state) => void states.push(JSON.parse(JSON.stringify({ ...state, model: undefined }))),
      },
    );
    const other = network();
    const begun = await train(
      other,
      { train: examples },
      { epochs: 2, pruning: { ...pruning, schedule: twoOfFour } },
    );
    const rest = await train(begun.model, { train: examples }, { epochs: 4, pruning, resume: states[1]! });
    const removedBy = (plans: readonly Plan[]) =>
      plans.map(({ groups }) => groups.map(({ id, remove }) => [id, remove]));
    expect(removedBy(rest.plans)).toEqual(removedBy(whole.plans).slice(2));
    expect(states[1]?.phases[0]).toMatchObject({ kept: ['narrow'], pools: { wide: 'wide', middle: 'wide' } });
    for (const one of [model, other, whole.model, begun.model, rest.model]) disposeModel(one);
    tf.dispose([examples.x, examples.y]);
  });

  it('a layer that an earlier phase takes off is no longer there to be kept', async () => {
    const [model, examples] = [network(), data()];
    const result = await train(
      model,
      { train: examples },
      {
        epochs: 4,
        pruning: [
          {
            pruner: fixedWorth,
            budget: { count: 12 },
            scope: ['middle'],
            wholeLayers: true,
            schedule: oneShot({ after: 0.25 }),
          },
          { pruner: fixedWorth, budget: { count: 3 }, keep: ['middle'], schedule: oneShot({ after: 0.5 }) },
        ],
      },
    );
    expect(result.model.layers.map(({ name }) => name)).toEqual(['wide', 'narrow', 'out']);
    expect(result.plans[1]?.groups.map(({ id, remove }) => [id, remove.length])).toEqual([
      ['wide', 3],
      ['narrow', 3],
    ]);
    for (const one of [model, result.model]) disposeModel(one);
    tf.dispose([examples.x, examples.y]);
  });

  it('refuses to keep what is not there before it begins', async () => {
    const [model, examples] = [network(), data()];
    const pruning = { pruner: fixedWorth, budget: { count: 1 }, keep: ['wider'] };
    await expect(train(model, { train: examples }, { epochs: 1, pruning })).rejects.toThrow(
      "keep names 'wider', which is no layer of this model. Nearest are: wide",
    );
    disposeModel(model);
    tf.dispose([examples.x, examples.y]);
  });
});

/** The first two steps of four. */
const twoOfFour = {
  name: 'two of four',
  steps: () => [
    { epoch: 1, share: 0.25 },
    { epoch: 2, share: 0.5 },
  ],
};
