import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prune } from '../callback.ts';
import { analyze } from '../graph/analyze.ts';
import { maskedPlan } from '../surgery/mask.ts';
import { smallMlp, smallResNet, task } from '../test-models/fixed.ts';
import { anyPairs, anyScores, pairs, scores } from '../test-models/pruners.ts';
import { type PlanOptions, plan } from './plan.ts';
import { everyEpochs } from './schedule.ts';
import { keptLayers } from './scope.ts';
import type { Plan } from './types.ts';

/** How many units go of each group. */
const gone = ({ groups }: Plan): Record<string, number> =>
  Object.fromEntries(groups.map(({ id, remove }) => [id, remove.length]));

/** One hidden layer of so many units. */
const hidden = (units: number): LayersModel =>
  sequential({
    layers: [
      layers.dense({ units, inputShape: [2], name: 'hidden' }),
      layers.dense({ units: 1, name: 'out' }),
    ],
  });

const planOf = (units: number, options: Partial<PlanOptions>): Promise<Plan> =>
  plan(hidden(units), { pruner: scores(), budget: { fraction: 0.5 }, ...options });

describe('roundTo', () => {
  it.each([
    // units, wanted, n, go: 20 - 4 = 16 and 20 - 12 = 8 are multiples of 8
    [20, 3, 8, 0],
    [20, 4, 8, 4],
    [20, 11, 8, 4],
    [20, 12, 8, 12],
    [20, 19, 8, 12],
    [16, 7, 8, 0],
    [16, 8, 8, 8],
    [5, 4, 8, 0],
    [10, 4, 3, 4],
    [10, 4, 1, 4],
  ])('of %i units with a budget of %i: a multiple of %i stays, %i go', async (units, count, roundTo, go) => {
    const made = await planOf(units, { budget: { count }, roundTo });
    expect(gone(made)).toEqual(go === 0 ? {} : { hidden: go });
    expect(made.notes).toEqual(
      go === count
        ? []
        : [`group 'hidden': ${count} units should go, ${go} do: a multiple of ${roundTo} must stay`],
    );
  });

  it('holds for thresholds, and for what pair pruners propose by themselves', async () => {
    const six = scores(0, 1, 2, 3, 4, 5);
    const low = await plan(smallMlp(), {
      pruner: six,
      budget: { threshold: 3 },
      roundTo: 2,
      scope: ['first'],
    });
    expect(gone(low)).toEqual({ first: 2 });
    expect(low.notes).toEqual(["group 'first': 3 units should go, 2 do: a multiple of 2 must stay"]);
    const pruner = pairs(
      { unit: 3, into: 0, score: 1 },
      { unit: 4, into: 1, score: 2 },
      { unit: 5, into: 2, score: 3 },
    );
    expect(gone(await plan(smallMlp(), { pruner, roundTo: 4, scope: ['first'] }))).toEqual({ first: 2 });
  });

  it('takes twos that fit, and leaves out those that do not', async () => {
    const pruner = pairs(
      { unit: 0, score: 0 },
      { unit: 1, also: 2, score: 1 },
      { unit: 3, also: 4, score: 2 },
      { unit: 5, score: 3 },
    );
    // 6 - 1 - 2 = 3, and 6 - 1 - 2 - 2 = 1 is no multiple
    const made = await plan(smallMlp(), { pruner, budget: { count: 5 }, roundTo: 3, scope: ['first'] });
    expect(made.groups[0]?.remove).toEqual([0, 1, 2]);
    // one goes, a two is too many, so the last goes as well
    const two = await plan(smallMlp(), { pruner, budget: { count: 2 }, roundTo: 4, scope: ['first'] });
    expect(two.groups[0]?.remove).toEqual([0, 5]);
  });
});

describe('minUnits', () => {
  it.each([
    [10, 8, 4, 6],
    [10, 6, 4, 6],
    [10, 5, 4, 5],
    [4, 3, 4, 0],
    [3, 2, 4, 0],
  ])('of %i units with a budget of %i: %i stay, so %i go', async (units, count, minUnits, go) => {
    const made = await planOf(units, { budget: { count }, minUnits });
    expect(gone(made)).toEqual(go === 0 ? {} : { hidden: go });
    expect(made.notes).toEqual(
      go === count
        ? []
        : [`group 'hidden': ${count} units should go, ${go} do: at least ${minUnits} units must stay`],
    );
  });

  it('and roundTo together: the least is a multiple', async () => {
    const made = await planOf(20, { budget: { count: 19 }, minUnits: 5, roundTo: 4 });
    expect(gone(made)).toEqual({ hidden: 12 });
    expect(made.notes[0]).toMatch(
      '19 units should go, 12 do: at least 5 units and a multiple of 4 must stay',
    );
  });
});

describe('keep', () => {
  const everything = { pruner: scores(), budget: { fraction: 0.9 } } as const;

  it.each([
    [['first'], ['second']],
    [['f*'], ['second']],
    [['se?ond'], ['first']],
    // what is frozen anyway may be named
    [['logits'], ['first', 'second']],
    [['logits', '{first,third}'], ['second']],
  ])('%j leaves %j to prune', async (keep, left) => {
    expect(Object.keys(gone(await plan(smallMlp(), { ...everything, keep })))).toEqual(left);
  });

  it.each([
    // whoever makes the units of a group, or normalises them
    ['stem', ['hidden']],
    ['stem_norm', ['hidden']],
    ['block/branch', ['hidden']],
    ['block', ['hidden']],
    ['**/branch_*', ['hidden']],
    ['depthwise', ['hidden']],
    // its features would go along with the channels
    ['flat', ['hidden']],
    ['hidden', ['stem']],
  ])('%s leaves %j of a network of blocks', async (pattern, left) => {
    expect(Object.keys(gone(await plan(smallResNet(), { ...everything, keep: [pattern] })))).toEqual(left);
  });

  it('is stronger than the scope, which may be globs, too', async () => {
    const scoped = async (options: Partial<PlanOptions>) =>
      Object.keys(gone(await plan(smallResNet(), { ...everything, ...options })));
    expect(await scoped({ scope: ['*'] })).toEqual(['stem', 'hidden']);
    expect(await scoped({ scope: ['st*'] })).toEqual(['stem']);
    expect(await scoped({ scope: ['channel', 'neuron'], keep: ['st*'] })).toEqual(['hidden']);
    await expect(scoped({ scope: ['stem'], keep: ['stem'] })).rejects.toThrow(
      '[core] keep leaves nothing to prune: it names stem',
    );
    await expect(scoped({ scope: ['fl*'] })).rejects.toThrow(
      "the scope names 'fl*', which is no prunable group",
    );
  });

  it('means of several layers those that have units', () => {
    expect(keptLayers(analyze(smallResNet()), ['stem*', '**/branch_*', 'stem'])).toEqual([
      ...['stem', 'stem_norm', 'block/branch_norm'],
    ]);
  });

  it('refuses what means nothing, and names what is near', async () => {
    await expect(plan(smallMlp(), { ...everything, keep: ['frist'] })).rejects.toThrow(
      "[core] keep names 'frist', which is no layer of this model. Nearest are: first, logits, second",
    );
    await expect(plan(smallMlp(), { ...everything, keep: ['first', 'block1_*'] })).rejects.toThrow(
      "'block1_*'",
    );
    await expect(plan(smallResNet(), { ...everything, keep: ['pool'] })).rejects.toThrow(
      "keep names 'pool', which makes no units",
    );
  });

  it('holds channels of which every single feature goes', async () => {
    const model = sequential({
      layers: [
        layers.conv2d({ filters: 2, kernelSize: 2, inputShape: [3, 3, 1], name: 'conv' }),
        layers.flatten({ name: 'flat' }),
        layers.dense({ units: 2, name: 'out' }),
      ],
    });
    const pruner = scores(0, 1e3, 0, 1e3, 0, 1e3, 0, 1e3);
    const options = { pruner, budget: { count: 4 }, scope: ['feature'] } as const;
    expect(gone(await plan(model, options))).toEqual({ flat: 4, conv: 1 });
    expect(gone(await plan(model, { ...options, keep: ['conv'] }))).toEqual({ flat: 4 });
    expect(gone(await plan(model, { ...options, minUnits: 2 }))).toEqual({ flat: 4 });
    expect(gone(await plan(model, { ...options, roundTo: 2 }))).toEqual({ flat: 4 });
  });
});

describe('any limits', () => {
  const sizes = { first: 6, second: 5 };
  const pruners = { scores: anyScores(1), pairs: anyPairs(2) };

  it('hold in any plan, and cost as few removals as can be', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('scores', 'pairs'),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 0, max: 7 }),
        fc.constantFrom('local', 'global', 'isomorphic'),
        fc.constantFrom([], ['first'], ['second']),
        async (kind, roundTo, minUnits, count, ranking, keep) => {
          const options = {
            pruner: pruners[kind as 'scores'],
            ranking,
            keep,
            budget: { count },
          } as PlanOptions;
          const limited = await plan(smallMlp(), { ...options, roundTo, minUnits });
          const free = await plan(smallMlp(), options);
          for (const [id, size] of Object.entries(sizes)) {
            const went = gone(limited)[id] ?? 0;
            if (keep.includes(id as never)) expect(went).toBe(0);
            if (went === 0) continue;
            expect(size - went).toBeGreaterThanOrEqual(minUnits);
            expect((size - went) % roundTo).toBe(0);
          }
          if (ranking !== 'local') return;
          for (const [id, size] of Object.entries(sizes)) {
            const might = gone(free)[id] ?? 0;
            const fits = (went: number) => (size - went) % roundTo === 0 && size - went >= minUnits;
            const most = Array.from({ length: might + 1 }, (_, k) => might - k).find(fits) ?? 0;
            expect(gone(limited)[id] ?? 0).toBe(most);
          }
        },
      ),
      { numRuns: 150, seed: 3 },
    );
  });

  it('hold after each step of a schedule', async () => {
    const model = hidden(20);
    model.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' });
    const counts: number[] = [];
    const callback = prune(scores(), {
      budget: { fraction: 0.6 },
      roundTo: 4,
      schedule: everyEpochs(),
    });
    const { x, y } = task(model, 8);
    const prunes = callback.onEpochEnd.bind(callback);
    callback.onEpochEnd = async (epoch, logs) => {
      await prunes(epoch, logs);
      counts.push(20 - (maskedPlan(model)?.groups[0]?.remove.length ?? 0));
    };
    await model.fit(x, y, { epochs: 6, verbose: 0, callbacks: [callback] });
    // 2, 4, 6, 8, 10 and 12 of 20 should be gone
    expect(counts).toEqual([20, 16, 16, 12, 12, 8]);
    tf.dispose([x, y]);
  });

  it.each([
    [{ roundTo: 0 }, '[core] roundTo must be a whole number of units of at least 1, got 0'],
    [{ roundTo: 2.5 }, 'roundTo must be'],
    [{ minUnits: -1 }, 'minUnits must be'],
    [{ minUnits: '4' }, 'minUnits must be a whole number of units of at least 1, got "4"'],
  ])('refuses %j', async (options, message) => {
    await expect(planOf(4, options as never)).rejects.toThrow(message);
    expect(() => prune(scores(), { budget: { count: 1 }, ...(options as object) })).toThrow(message);
  });
});
