import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prune } from '../callback.ts';
import type { PairPruner, Proposal, ScorePruner } from '../pruner.ts';
import { mask, maskedPlan } from '../surgery/mask.ts';
import { smallMlp, smallResNet } from '../test-models/fixed.ts';
import { scores } from '../test-models/pruners.ts';
import { type PlanOptions, plan } from './plan.ts';
import { standingOf } from './standing.ts';
import type { Plan } from './types.ts';

const removed = ({ groups }: Plan) => Object.fromEntries(groups.map(({ id, remove }) => [id, remove]));

/** Scores by group. */
const of = (given: Readonly<Record<string, readonly number[]>>, comparable = false): ScorePruner => ({
  name: 'given',
  comparable,
  score: ({ group, bias }) => tf.tensor1d(given[group]!.slice(0, bias.shape[0])),
});

/** Means 2 and 40: divided by them 0.25, 0.5, 0.75, 1, 1.5, 2 and 0.1, 0.4, 1.25, 1.5, 1.75. */
const first = [0.5, 1, 1.5, 2, 3, 4];
const second = [4, 16, 50, 60, 70];

const global = (options: Partial<PlanOptions>) =>
  plan(smallMlp(), { pruner: of({ first, second }), budget: { count: 4 }, ranking: 'global', ...options });

describe('a global ranking', () => {
  it('has one budget for all, and compares scores divided by the mean of their group', async () => {
    const made = await global({});
    // 0.1, 0.25, 0.4, 0.5
    expect(removed(made)).toEqual({ first: [0, 1], second: [0, 1] });
    expect(made.groups.map((group) => group.scores)).toEqual([
      [0.5, 1],
      [4, 16],
    ]);
    expect(made.notes).toEqual([]);
    // 0.75 and 1 are below 1.25
    expect(removed(await global({ budget: { count: 6 } }))).toEqual({ first: [0, 1, 2, 3], second: [0, 1] });
    // 4.95 of 11
    expect(removed(await global({ budget: { fraction: 0.45 } }))).toEqual({ first: [0, 1], second: [0, 1] });
    expect(removed(await global({ budget: { count: { first: 3, second: 1 } } }))).toEqual(removed(made));
  });

  it('compares scores as they are where they mean the same in every group', async () => {
    const pruner = of({ first, second }, true);
    expect(removed(await global({ pruner }))).toEqual({ first: [0, 1, 2, 3] });
  });

  it('leaves the order of negative scores, and 0, as they are', async () => {
    // means of the sizes 2 and 20
    const pruner = of({ first: [-4, -3, -2, -1, 1, 1], second: [-60, 0, 10, 10, 20] });
    expect(removed(await global({ pruner }))).toEqual({ first: [0, 1, 2], second: [0] });
    expect(removed(await global({ pruner: of({ first: [0, 0, 0, 0, 0, 0], second }) }))).toEqual({
      first: [0, 1, 2, 3],
    });
  });

  it('takes proposals of a pair pruner by their price, in their order', async () => {
    const proposals: Record<string, Proposal[]> = {
      first: [
        { unit: 0, into: 1, score: 2 },
        { unit: 2, also: 3, score: 178, price: 2.5 },
        { unit: 4, into: 5, score: 9 },
      ],
      second: [
        { unit: 3, into: 0, score: 3 },
        { unit: 1, into: 2, score: 8 },
      ],
    };
    const pruner: PairPruner = {
      name: 'pairs',
      comparable: true,
      compare: ({ group, bias }) => tf.fill([bias.shape[0], bias.shape[0]], group === 'first' ? 1 : 0),
      propose: ([isFirst]) => proposals[isFirst ? 'first' : 'second']!,
    };
    expect(removed(await global({ pruner }))).toEqual({ first: [0, 2, 3], second: [3] });
    // no room for two: the next that fits
    expect(removed(await global({ pruner, budget: { count: 2 } }))).toEqual({ first: [0], second: [3] });
    const all = await global({ pruner, budget: { count: 8 } });
    expect(removed(all)).toEqual({ first: [0, 2, 3, 4], second: [1, 3] });
    expect(all.notes).toEqual(["groups 'first', 'second': 8 units should go, 6 do: the pruner proposes 6"]);
  });

  it('leaves a unit of each', async () => {
    const made = await global({ budget: { count: 10 } });
    expect(removed(made)).toEqual({ first: [0, 1, 2, 3, 4], second: [0, 1, 2, 3] });
    expect(made.notes).toEqual(["groups 'first', 'second': 10 units should go, 9 do: one of each must stay"]);
  });

  it('says what limits change', async () => {
    // without limits 0 to 3 of first and 0, 1 of second go; 3 of second must stay, and no other fits
    const pruner = of({ first, second });
    const budget = { count: 6 };
    const kept = await global({ pruner, budget, minUnits: 4 });
    expect(removed(kept)).toEqual({ first: [0, 1], second: [0] });
    expect(kept.notes).toEqual([
      "groups 'first', 'second': 6 units should go, 3 do: at least 4 units must stay",
      "group 'first': 4 units would go, 2 do: at least 4 units must stay",
      "group 'second': 2 units would go, 1 do: at least 4 units must stay",
    ]);
    // by threes: first 6 -> 3 costs (0.25 + 0.5 + 0.75) / 3 = 0.5 each, second 5 -> 3 costs (0.1 + 0.4) / 2 = 0.25
    const rounded = await global({ pruner, budget: { count: 4 }, roundTo: 3 });
    expect(removed(rounded)).toEqual({ second: [0, 1] });
    expect(rounded.notes).toEqual([
      "groups 'first', 'second': 4 units should go, 2 do: a multiple of 3 must stay",
      "group 'first': 2 units would go, 0 do: a multiple of 3 must stay",
    ]);
    expect(removed(await global({ pruner, budget: { count: 5 }, roundTo: 3 }))).toEqual({
      first: [0, 1, 2],
      second: [0, 1],
    });
  });

  it('counts what was masked before', async () => {
    const model = smallMlp();
    await mask(model, await plan(model, { pruner: scores(), budget: { count: 2 }, scope: ['second'] }));
    // 2 of the 5 are gone already; unit 2 of second now stands first
    const later = await plan(model, {
      pruner: of({ first, second }),
      budget: { count: 5 },
      ranking: 'global',
    });
    expect(Object.values(removed(later)).flat()).toHaveLength(5);
    expect(removed(later).second?.slice(0, 2)).toEqual([0, 1]);
  });

  it('ranks single features among themselves', () => {
    const { groups } = standingOf(smallResNet(), {
      scope: ['channel', 'neuron', 'feature'],
      ranking: 'global',
    });
    expect(groups.map(({ id, pool }) => [id, pool])).toEqual([
      ['stem', 'stem'],
      ['flat', 'flat'],
      ['hidden', 'stem'],
    ]);
  });

  it('takes whole layers where it may', async () => {
    // the branch beside the sum is worth nothing
    const image = input({ shape: [4], name: 'in' });
    const dense = (units: number, name: string, from: SymbolicTensor) =>
      layers.dense({ units, name }).apply(from) as SymbolicTensor;
    const stem = dense(6, 'stem', image);
    const branch = dense(6, 'after', dense(4, 'branch', stem));
    const sum = layers.add().apply([stem, branch]) as SymbolicTensor;
    const model = modelOf({ inputs: image, outputs: dense(2, 'out', sum) });
    const pruner = of({ branch: [1, 1, 1, 1], stem: [2, 3, 4, 5, 6, 7] }, true);
    const options = { pruner, budget: { count: 5 }, ranking: 'global', minUnits: 2 } as const;
    const whole = await plan(model, { ...options, wholeLayers: true });
    expect(removed(whole)).toEqual({ branch: [0, 1, 2, 3], stem: [0] });
    expect(whole.notes).toContain(
      'layers that go whole: branch, after, add_Add1'.replace('add_Add1', layerAfter(model)),
    );
    expect(removed(await plan(model, options))).toEqual({ branch: [0, 1], stem: [0, 1, 2] });
    // what the branch ends in stays as it is: so does the branch
    const kept = await plan(model, { ...options, keep: ['after'], scope: ['branch'], wholeLayers: true });
    expect(removed(kept)).toEqual({ branch: [0, 1] });
    expect(kept.spared).toBeUndefined();
  });

  it.each([
    [{ budget: { threshold: 1 } }, 'a global ranking shares a budget out'],
    [{ ranking: 'globally' }, 'ranking must be one of local, global, isomorphic, got "globally"'],
  ])('refuses %j', async (options, message) => {
    await expect(global(options as never)).rejects.toThrow(message);
  });
});

const layerAfter = (model: LayersModel): string =>
  model.layers.find((one) => one.getClassName() === 'Add')!.name;

/** Three convolutions of 3x3 (the second narrower), a 1x1 one, then Dense layers. */
function tower(): LayersModel {
  const image = input({ shape: [8, 8, 3] });
  const conv = (name: string, filters: number, kernelSize: number) =>
    layers.conv2d({ filters, kernelSize, padding: 'same', name });
  let x: SymbolicTensor = image;
  for (const layer of [
    conv('a', 8, 3),
    conv('b', 4, 3),
    conv('c', 6, 3),
    conv('point', 5, 1),
    layers.globalAveragePooling2d({}),
    layers.dense({ units: 6, name: 'd1' }),
    layers.dense({ units: 4, name: 'd2' }),
    layers.dense({ units: 2, name: 'out' }),
  ]) {
    x = layer.apply(x) as SymbolicTensor;
  }
  return modelOf({ inputs: image, outputs: x });
}

describe('an isomorphic ranking', () => {
  it('ranks those groups together that are made and read by layers of the same kinds', () => {
    const { groups } = standingOf(tower(), { ranking: 'isomorphic' });
    // c is read by a 1x1 convolution, point by a Dense layer
    expect(groups.map(({ id, pool }) => [id, pool])).toEqual([
      ['a', 'a'],
      ['b', 'a'],
      ['c', 'c'],
      ['point', 'point'],
      ['d1', 'd1'],
      ['d2', 'd1'],
    ]);
  });

  it('has a budget for each pool', async () => {
    const all = Object.fromEntries(
      ['a', 'b', 'c', 'point', 'd1', 'd2'].map((id) => [id, [1, 2, 3, 4, 5, 6, 7, 8]]),
    );
    const pruner = of({ ...all, b: [9, 9, 9, 9], d2: [0, 0, 1, 1] }, true);
    const made = await plan(tower(), { pruner, budget: { fraction: 0.5 }, ranking: 'isomorphic' });
    const counts = Object.fromEntries(made.groups.map(({ id, remove }) => [id, remove.length]));
    // 6 of 8 + 4, 3 of 6, 2 of 5, 5 of 6 + 4, of which one must stay in d2
    expect(counts).toEqual({ a: 6, c: 3, point: 2, d1: 2, d2: 3 });
  });
});

it('totals are exact, whatever the scores, and a schedule comes to the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.float({ min: -9, max: 9, noNaN: true }), { minLength: 6, maxLength: 6 }),
      fc.array(fc.float({ min: -9, max: 9, noNaN: true }), { minLength: 5, maxLength: 5 }),
      fc.integer({ min: 0, max: 9 }),
      async (a, b, count) => {
        const made = await global({ pruner: of({ first: a, second: b }), budget: { count } });
        expect(Object.values(removed(made)).flat()).toHaveLength(count);
        expect(made.notes).toEqual([]);
      },
    ),
    { numRuns: 100, seed: 4 },
  );
});

it('a schedule shares the common budget out over its steps', async () => {
  const model = smallMlp();
  model.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' });
  const callback = prune(of({ first, second }), { budget: { count: 6 }, ranking: 'global' });
  const [x, y] = [tf.ones([4, 4]), tf.ones([4, 2])];
  const counts: number[] = [];
  const prunes = callback.onEpochEnd.bind(callback);
  callback.onEpochEnd = async (epoch, logs) => {
    await prunes(epoch, logs);
    counts.push(Object.values(removed(maskedPlan(model)!)).flat().length);
  };
  await model.fit(x, y, { epochs: 3, verbose: 0, callbacks: [callback] });
  expect(counts).toEqual([2, 4, 6]);
  tf.dispose([x, y]);
});
