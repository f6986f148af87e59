import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PairPruner, Pruner, ScorePruner } from '../pruner.ts';
import { mask } from '../surgery/mask.ts';
import { shrink } from '../surgery/shrink.ts';
import { dataOf } from '../test-models/compare.ts';
import { smallMlp, smallResNet, task } from '../test-models/fixed.ts';
import { anyScores, pairs, scores } from '../test-models/pruners.ts';
import { addOutgoing, foldMean, scaleOutgoing } from './compensation.ts';
import { type PlanOptions, plan } from './plan.ts';
import type { Plan, Refit } from './types.ts';

const removed = ({ groups }: Plan) => Object.fromEntries(groups.map(({ id, remove }) => [id, remove]));

/** 6 + 5 hidden units; unit 0 has the lowest score, unit 1 the next, ... */
const planMlp = (options: Partial<PlanOptions>) =>
  plan(smallMlp(), { pruner: scores(0, 1, 2, 3, 4, 5), budget: { count: 2 }, ...options });

describe('budgets', () => {
  it('fraction: a share of each group, rounded down', async () => {
    expect(removed(await planMlp({ budget: { fraction: 0.5 } }))).toEqual({
      first: [0, 1, 2],
      second: [0, 1],
    });
    expect(removed(await planMlp({ budget: { fraction: 0 } }))).toEqual({});
    // 0.7 * 10 is 6.999... in floating point
    const ten = sequential({
      layers: [layers.dense({ units: 10, inputShape: [2], name: 'ten' }), layers.dense({ units: 1 })],
    });
    expect((await plan(ten, { pruner: scores(), budget: { fraction: 0.7 } })).groups[0]?.remove).toHaveLength(
      7,
    );
  });

  it('count: for all groups, or by group', async () => {
    expect(removed(await planMlp({ budget: { count: 1 } }))).toEqual({ first: [0], second: [0] });
    expect(removed(await planMlp({ budget: { count: { second: 3 } } }))).toEqual({ second: [0, 1, 2] });
  });

  it('threshold: the units with a lower score', async () => {
    const made = await planMlp({ budget: { threshold: 2 } });
    expect(removed(made)).toEqual({ first: [0, 1], second: [0, 1] });
    expect(made.groups[0]?.scores).toEqual([0, 1]);
    expect(made.notes).toEqual([]);
  });

  it('one unit always stays, and a note says so', async () => {
    const made = await planMlp({ budget: { count: 9 } });
    expect(removed(made)).toEqual({ first: [0, 1, 2, 3, 4], second: [0, 1, 2, 3] });
    expect(made.notes).toEqual([
      "group 'first': 9 units should go, 5 do: one unit must stay",
      "group 'second': 9 units should go, 4 do: one unit must stay",
    ]);
    expect((await planMlp({ budget: { threshold: 99 } })).notes[0]).toMatch('one unit must stay');
  });

  it('a pair pruner goes as far as its proposals, and a note says if that is not enough', async () => {
    const pruner = pairs({ unit: 3, into: 0, score: 2 }, { unit: 4, into: 1, score: 5 });
    expect(removed(await planMlp({ pruner, budget: { count: 2 } }))).toEqual({
      first: [3, 4],
      second: [3, 4],
    });
    const made = await plan(smallMlp(), { pruner });
    expect(removed(made)).toEqual({ first: [3, 4], second: [3, 4] });
    expect(made.groups[0]?.scores).toEqual([2, 5]);
    const short = await planMlp({ pruner, budget: { count: 3 } });
    expect(short.notes[0]).toBe("group 'first': 3 units should go, 2 do: the pruner proposes 2");
  });

  it('what was masked before counts', async () => {
    const model = smallMlp();
    const pruner = scores(0, 1, 2, 3, 4, 5);
    await mask(model, await plan(model, { pruner, budget: { count: 1 } }));
    const later = await plan(model, { pruner, budget: { count: 3 }, scope: ['first'] });
    // among those alive unit 1 now has the lowest score
    expect(removed(later)).toEqual({ first: [0, 1, 2], second: [0] });
    expect(later.cost.after).toEqual({ params: 4 * 3 + 3 + 3 * 4 + 4 + 4 * 2 + 2, macs: 32, bytes: 164 });
  });

  for (const [budget, message] of [
    [{ fraction: 1 }, 'budget.fraction must be at least 0 and below 1, got 1'],
    [{ fraction: -0.1 }, 'budget.fraction'],
    [{ fraction: Number.NaN }, 'budget.fraction'],
    [{ fraction: '0.4' }, 'budget.fraction'],
    [{ count: 1.5 }, 'budget.count must be a whole number of units, got 1.5'],
    [{ count: -1 }, 'budget.count'],
    [{ count: { first: -1 } }, 'budget.count'],
    [{ count: { thrid: 1 } }, "budget.count names group 'thrid', which is not in the scope: first, second"],
    [{ count: { '': 1 } }, "budget.count names group '', which is not in the scope: first, second"],
    [{ threshold: Number.NaN }, 'budget.threshold must be a number'],
    [{ fraction: { first: 1 } }, 'budget.fraction must be at least 0 and below 1, got 1'],
    [{ fraction: { thrid: 0.5 } }, "budget.fraction names group 'thrid', which is not in the scope"],
    [
      { params: 1 },
      'budget.params must be what may be left: a share above 0 and below 1, or a number of params',
    ],
    [{ macs: 0 }, 'budget.macs must be what may be left'],
    [{ bytes: '50%' }, 'budget.bytes must be what may be left'],
    [{ bytes: { first: 0.5 } }, 'budget.bytes must be what may be left'],
    [{ params: 0.5, macs: 0.5 }, 'budget must have one of'],
    [{ fractoin: 0.4 }, 'one of fraction, count, params, macs, bytes, threshold, got'],
    [{}, 'one of fraction, count, params, macs, bytes, threshold, got'],
  ] as const) {
    it(`refuses ${JSON.stringify(budget)}`, async () => {
      await expect(planMlp({ budget: budget as never })).rejects.toThrow(message);
    });
  }
});

describe('scopes', () => {
  it('are ids or kinds; single features only by name', async () => {
    const model = smallResNet();
    const scoped = async (...scope: string[]) =>
      Object.keys(removed(await plan(model, { pruner: scores(), budget: { count: 1 }, scope })));
    expect(await scoped('hidden')).toEqual(['hidden']);
    expect(await scoped('channel')).toEqual(['stem']);
    expect(await scoped('channel', 'hidden')).toEqual(['stem', 'hidden']);
    expect(await scoped('feature')).toEqual(['flat']);
    const all = await plan(model, { pruner: scores(), budget: { count: 1 } });
    expect(Object.keys(removed(all))).toEqual(['stem', 'hidden']);
  });

  it('refuses what is not there or can not go', async () => {
    await expect(planMlp({ scope: ['frist'] })).rejects.toThrow(
      "the scope names 'frist', which is no prunable group or kind of this model. There are: first (neuron), second (neuron)",
    );
    await expect(planMlp({ scope: ['channel'] })).rejects.toThrow("the scope names 'channel'");
    await expect(planMlp({ scope: ['logits'] })).rejects.toThrow(
      "group 'logits' can't be pruned: the model puts it out",
    );
    const linear = sequential({ layers: [layers.dense({ units: 2, inputShape: [3], name: 'only' })] });
    await expect(plan(linear, { pruner: scores(), budget: { count: 1 } })).rejects.toThrow(
      'no group of this model can be pruned (only: the model puts it out)',
    );
  });

  it('takes channels along with their last feature, unless something else reads them', async () => {
    const lowest = (last: readonly number[]): ScorePruner => ({
      name: 'some-features',
      score: ({ bias }) =>
        tf.tensor1d(Array.from({ length: bias.shape[0] }, (_, i) => (last.includes(i) ? 0 : 1))),
    });
    const model = sequential({
      layers: [
        layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [3, 3, 1], name: 'conv' }),
        layers.flatten({ name: 'flat' }),
        layers.dense({ units: 2, name: 'out' }),
      ],
    });
    // [2, 2, 3]: every third feature belongs to filter 1
    const of1 = [1, 4, 7, 10];
    const budget = { count: 4 };
    const made = await plan(model, { pruner: lowest(of1), budget, scope: ['feature'] });
    expect(removed(made)).toEqual({ flat: of1, conv: [1] });
    expect(made.notes).toEqual(["group 'conv': 1 units go because nothing reads them any more"]);
    const small = await shrink(model, made);
    expect(small.getLayer('flat').getClassName()).toBe('Flatten');
    // [2, 2, 12]: unit 0 is read by the nested block, too
    const read = Array.from({ length: 4 }, (_, i) => [i * 12, i * 12 + 1]).flat();
    const resNet = await plan(smallResNet(), {
      pruner: lowest(read),
      budget: { count: 8 },
      scope: ['feature'],
    });
    expect(removed(resNet)).toEqual({ flat: read });
  });
});

describe('bad input is refused with a reason, and changes nothing', () => {
  const refuses = (name: string, options: () => Partial<PlanOptions>, message: string, model = smallMlp) =>
    it(name, async () => {
      const given = model();
      const [before, tensors] = [dataOf(given), tf.memory().numTensors];
      const made = options();
      const owned = tf.memory().numTensors - tensors;
      await expect(
        plan(given, { pruner: scores(), budget: { count: 1 }, ...made } as PlanOptions),
      ).rejects.toThrow(message);
      expect(dataOf(given)).toEqual(before);
      expect(tf.memory().numTensors - owned, 'tensors').toBe(tensors);
    });

  const scoring = (score: ScorePruner['score']): { pruner: Pruner } => ({ pruner: { name: 'bad', score } });
  const pair = (propose: PairPruner['propose']): { pruner: Pruner } => ({ pruner: { ...pairs(), propose } });
  const watching = (onBatchEnd: ScorePruner['onBatchEnd']) => ({
    pruner: {
      ...scores(),
      name: 'bad',
      needs: ['activations'],
      init: () => tf.zeros([3]),
      onBatchEnd,
    } as Pruner,
    data: { x: tf.zeros([3, 4]) },
  });

  refuses(
    'a score that throws',
    () =>
      scoring(() => {
        throw new Error('no idea');
      }),
    '[bad] score threw: no idea',
  );
  refuses(
    'a wrong length',
    () => scoring(() => tf.zeros([2])),
    '[bad] score must return shape [6], one for each unit, got [2]',
  );
  refuses(
    'NaN',
    () => scoring(({ bias }) => tf.fill([bias.shape[0]], Number.NaN)),
    '[bad] score gave NaN at position 0',
  );
  refuses('no tensor', () => scoring(() => [1, 2] as never), '[bad] score must return a tensor, got object');
  refuses(
    'a promise',
    () => scoring((async () => tf.zeros([6])) as never),
    '[bad] score must return a tensor',
  );
  refuses('a unit that is not there', () => pair(() => [{ unit: 6, score: 0 }]), 'units 0 to 5');
  refuses(
    'a unit twice',
    () =>
      pair(() => [
        { unit: 1, score: 0 },
        { unit: 1, score: 1 },
      ]),
    'twice',
  );
  refuses(
    'a partner that goes',
    () =>
      pair(() => [
        { unit: 1, into: 2, score: 0 },
        { unit: 2, score: 1 },
      ]),
    'twice',
  );
  refuses(
    'a proposal without a finite score',
    () => pair(() => [{ unit: 1, score: Number.NaN }]),
    'the score NaN',
  );
  refuses(
    'an init that throws',
    () => ({
      pruner: {
        ...scores(),
        name: 'bad',
        init: (units) => {
          tf.zeros([3]);
          if (units === 5) throw new Error('five');
          return tf.zeros([2]);
        },
      },
    }),
    '[bad] init threw: five',
  );
  refuses(
    'a batch hook that throws',
    () =>
      watching(() => {
        throw new Error('no idea');
      }),
    '[bad] onBatchEnd threw: no idea',
  );
  refuses(
    'evidence that was not asked for',
    () => watching(({ errors }) => errors),
    "onBatchEnd reads 'errors', so its needs must list it: needs: ['errors']",
  );
  refuses('no pruner at all', () => ({ pruner: (() => scores()) as never }), 'call its factory');
  refuses('scores without a budget', () => ({ budget: undefined as never }), 'say how far to go');
  refuses('partners from a pruner of scores', () => ({ compensation: addOutgoing() }), "compensation 'add'");
  refuses('the same for scale', () => ({ compensation: scaleOutgoing() }), 'names no partners');
  refuses(
    'no data for a pruner',
    () => ({ pruner: { ...scores(), needs: ['activations'] } }),
    'looks at data: give data: { x }',
  );
  refuses(
    'no data for a compensation',
    () => ({ compensation: foldMean() }),
    "compensation 'mean' looks at data",
  );
  refuses(
    'errors without targets',
    () => ({ pruner: { ...scores(), needs: ['errors'] }, data: { x: tf.zeros([2, 4]) } }),
    'data.y must hold the targets',
  );
  refuses(
    'errors without a loss',
    () => ({
      pruner: { ...scores(), needs: ['errors'] },
      data: { x: tf.zeros([2, 4]), y: tf.zeros([2, 2]) },
    }),
    'call model.compile',
  );
  refuses(
    'updates outside of training',
    () => ({ pruner: { ...scores(), needs: ['updates'] } }),
    'which only training makes',
  );
  refuses(
    'evidence that there is not',
    () => ({ pruner: { ...scores(), needs: ['activation'] as never } }),
    "needs 'activation'",
  );
  refuses(
    'no examples',
    () => ({ compensation: foldMean(), data: { x: tf.zeros([0, 4]) } }),
    'data.x has no examples',
  );
  refuses(
    'too many inputs',
    () => ({ compensation: foldMean(), data: { x: [tf.zeros([2, 4]), tf.zeros([2, 4])] } }),
    'the model has 1 inputs',
  );
  refuses(
    'unequal numbers of examples',
    () => ({ compensation: foldMean(), data: { x: tf.zeros([2, 4]), y: tf.zeros([3, 2]) } }),
    'equally many examples',
  );
  refuses(
    'examples of another shape',
    () => ({ compensation: foldMean(), data: { x: tf.zeros([2, 5]) } }),
    'data.x',
  );
  refuses(
    'a batch of nothing',
    () => ({ compensation: foldMean(), data: { x: tf.zeros([2, 4]), batchSize: 0 } }),
    'batchSize must be a whole number',
  );
  refuses(
    'NaN weights',
    () => ({ pruner: { name: 'sum', score: ({ incoming }) => tf.sum(incoming, 0) } }),
    '[sum] score gave NaN',
    () => {
      const model = smallMlp();
      model.layers[0]!.setWeights([tf.fill([4, 6], Number.NaN), tf.zeros([6])]);
      return model;
    },
  );

  it('what is no LayersModel', async () => {
    const options = { pruner: scores(), budget: { count: 1 } };
    await expect(plan(Promise.resolve(smallMlp()) as never, options)).rejects.toThrow('a promise of a model');
    await expect(plan({ executor: {}, modelUrl: '' } as never, options)).rejects.toThrow('a GraphModel');
    for (const nothing of [undefined, null, 3, 'model.json', {}]) {
      await expect(plan(nothing as never, options)).rejects.toThrow('expected a LayersModel');
    }
    await expect(shrink(undefined as never)).rejects.toThrow('expected a LayersModel');
    await expect(plan(smallMlp(), {} as never)).rejects.toThrow('there is no pruner');
  });
});

describe('a plan', () => {
  const halved = async (): Promise<[LayersModel, Plan]> => {
    const model = smallResNet();
    const { x } = task(model, 3);
    const pruner = pairs({ unit: 1, into: 0, score: 0.5 }, { unit: 3, into: 2, score: 1 });
    return [model, await plan(model, { pruner, compensation: scaleOutgoing(), data: { x } })];
  };

  it('is plain JSON', async () => {
    const [model, made] = await halved();
    const read: Plan = JSON.parse(JSON.stringify(made));
    expect(read).toEqual(made);
    expect(dataOf(await shrink(model, read))).toEqual(dataOf(await shrink(model, made)));
  });

  it('changes neither the model nor the number of tensors, whatever it looks at', async () => {
    const model = smallResNet();
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const pruner: Pruner<tf.Tensor> = {
      name: 'all',
      needs: ['activations', 'errors'],
      init: (units) => tf.zeros([units]),
      onEpochBegin: (_, state) => tf.add(state, 1),
      onBatchEnd: ({ activations, errors }, state) => tf.add(state, tf.sum(tf.mul(activations, errors), 0)),
      score: (_, state) => state,
    };
    for (const [count, batchSize] of [
      [1, 256],
      [5, 2],
      [4, 4],
      [3, 1],
    ] as const) {
      const data = { ...task(model, count), batchSize };
      const [before, tensors] = [dataOf(model), tf.memory().numTensors];
      for (const scope of [['channel', 'neuron'], ['feature']]) {
        await plan(model, { pruner, budget: { fraction: 0.5 }, scope, compensation: foldMean(), data });
      }
      expect(tf.memory().numTensors).toBe(tensors);
      expect(dataOf(model)).toEqual(before);
    }
  });

  it('judges the same whatever the batch size', async () => {
    const model = smallMlp();
    const { x } = task(model, 7);
    const pruner: Pruner<tf.Tensor> = {
      name: 'sum',
      needs: ['activations'],
      init: (units) => tf.zeros([units]),
      onBatchEnd: ({ activations }, state) => tf.add(state, tf.sum(activations, 0)),
      score: (_, state) => state,
    };
    const made = async (batchSize: number) =>
      (await plan(model, { pruner, budget: { count: 2 }, data: { x, batchSize } })).groups.map(
        ({ remove, scores: own }) => [remove, own.map((score) => score?.toFixed(4))],
      );
    const whole = await made(100);
    for (const batchSize of [1, 2, 3, 7]) expect(await made(batchSize)).toEqual(whole);
  });

  it('is refused by another model', async () => {
    const [, made] = await halved();
    const other = smallMlp();
    const before = dataOf(other);
    for (const carryOut of [shrink, mask]) {
      await expect(carryOut(other, made)).rejects.toThrow("it was made for 'small_res_net'");
    }
    expect(dataOf(other)).toEqual(before);
    await expect(shrink(other)).rejects.toThrow('shrink needs a plan');
  });

  // plain JSON, so that an edit may do anything to it
  // biome-ignore lint/suspicious/noExplicitAny: see above
  type Edited = any;
  const edits: Readonly<Record<string, [edit: (plan: Edited) => unknown, message: string]>> = {
    'a unit out of range': [(p) => p.groups[0].remove.push(99), 'removes unit 99'],
    'a negative unit': [
      (p) => {
        p.groups[0].remove[0] = -1;
      },
      'plan.groups[0].remove[0]: Too small: expected number to be >=0',
    ],
    'half a unit': [
      (p) => {
        p.groups[0].remove[0] = 0.5;
      },
      'plan.groups[0].remove[0]: Invalid input: expected int',
    ],
    'a unit in words': [
      (p) => {
        p.groups[0].remove[0] = 'one';
      },
      'plan.groups[0].remove[0]: Invalid input: expected number, received string',
    ],
    'a unit twice': [(p) => p.groups[0].remove.push(p.groups[0].remove[0]), 'twice'],
    'a group twice': [(p) => p.groups.push(p.groups[0]), "group 'stem' twice"],
    'an unknown group': [
      (p) => {
        p.groups[0].id = 'steam';
      },
      "names group 'steam'",
    ],
    'a frozen group': [
      (p) => {
        p.groups[0].id = 'logits';
        p.groups[0].size = 3;
      },
      "group 'logits', which can't be",
    ],
    'a wrong size': [
      (p) => {
        p.groups[0].size = 7;
      },
      'has 7 units, but it has 6',
    ],
    'all units': [
      (p) => {
        p.groups[0].remove = [0, 1, 2, 3, 4, 5];
      },
      'leaves no unit',
    ],
    'no groups': [
      (p) => {
        delete p.groups;
      },
      'plan.groups: Invalid input: expected array, received undefined',
    ],
    'groups of null': [
      (p) => {
        p.groups = [null];
      },
      'plan.groups[0]: Invalid input: expected object, received null',
    ],
    'no list of units': [
      (p) => {
        p.groups[0].remove = '1,3';
      },
      'plan.groups[0].remove: Invalid input: expected array',
    ],
    'scores in words': [
      (p) => {
        p.groups[0].scores = ['low'];
      },
      'scores[0]',
    ],
    'no model': [
      (p) => {
        delete p.model;
      },
      'plan.model: Invalid input: expected object',
    ],
    'another version': [
      (p) => {
        p.version = 2;
      },
      'plan.version: Invalid input: expected 1',
    ],
    'no folds': [
      (p) => {
        delete p.folds;
      },
      'plan.folds',
    ],
    'a fold of nothing': [
      (p) => {
        p.folds[0].units[0].into = [null];
      },
      'plan.folds[0].units[0].into[0]: Invalid input: expected tuple',
    ],
    'a NaN factor': [
      (p) => {
        p.folds[0].units[0].into[0][1] = Number.NaN;
      },
      'into[0][1]: Invalid input: expected number',
    ],
    'a factor that JSON made null of': [
      (p) => {
        p.folds[0].units[0].into[0][1] = null;
      },
      'into[0][1]: Invalid input: expected number',
    ],
    'a fold into one that goes': [
      (p) => {
        p.folds[0].units[0].into[0][0] = 3;
      },
      'must stay',
    ],
    'a fold into one that is not there': [
      (p) => {
        p.folds[0].units[0].into[0][0] = 60;
      },
      'must stay',
    ],
    'a fold of one that stays': [
      (p) => {
        p.folds[0].units[0].unit = 0;
      },
      'folds unit 0, which stays',
    ],
    'a fold twice': [(p) => p.folds[0].units.push(p.folds[0].units[0]), 'twice'],
    'a fold of no group': [
      (p) => {
        p.folds[0].group = 'x';
      },
      'does not fit this model',
    ],
    'a fold at no layer': [
      (p) => {
        p.folds[0].layer = 'x';
      },
      'does not fit this model',
    ],
    'a fold at what can not': [
      (p) => {
        p.folds[0].layer = 'depthwise';
        p.folds[0].weight = 'depthwise_kernel';
      },
      'does not fit',
    ],
    'too few constants': [
      (p) => {
        p.folds[0].units[0].constants = [];
      },
      'constants',
    ],
    'infinite constants': [
      (p) => {
        p.folds[0].units[0].constants = [Number.POSITIVE_INFINITY];
      },
      'constants[0]: Invalid input: expected number',
    ],
  };
  const refits: Readonly<Record<string, readonly [Partial<Refit>, string]>> = {
    'another layer': [{ layer: 'x' }, 'does not fit'],
    'a bias': [{ weight: 'bias' }, 'does not fit'],
    'an entry that is not there': [{ entries: [6] }, 'changes entry 6, but there are entries 0 to 5'],
    'a number too few': [{ kernel: [1, 2] }, 'must have 5 numbers for its entries, found 2'],
    'a bias too long': [{ bias: [1, 2, 3, 4] }, 'must have 5 numbers for the bias, found 4'],
  };
  it.each(Object.entries(refits))('with a refit of %s is refused', async (_, [edit, message]) => {
    const [model, made] = [smallMlp(), await planMlp({})];
    const numbers = [1, 2, 3, 4, 5];
    const good: Refit = { layer: 'second', weight: 'kernel', entries: [2], kernel: numbers, bias: numbers };
    await expect(shrink(model, { ...made, refits: [{ ...good, ...edit }] })).rejects.toThrow(message);
    (await shrink(model, { ...made, refits: [good] })).dispose();
  });

  it.each(Object.entries(edits))('edited by hand is refused: %s', async (_, [edit, message]) => {
    const [model, made] = await halved();
    const edited: Edited = JSON.parse(JSON.stringify(made));
    edit(edited);
    const [before, tensors] = [dataOf(model), tf.memory().numTensors];
    for (const carryOut of [shrink, mask]) await expect(carryOut(model, edited)).rejects.toThrow(message);
    expect(dataOf(model)).toEqual(before);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('that is no plan at all is refused by [core], never by a TypeError', async () => {
    const model = smallMlp();
    const good: Plan = await planMlp({});
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(good), 'whole'),
        fc.jsonValue(),
        async (field, value) => {
          const bad = field === 'whole' ? value : { ...good, [field]: value };
          try {
            const small = await shrink(model, bad as never);
            small.dispose();
          } catch (error) {
            expect((error as Error).message).toMatch(/^\[core\]/);
          }
        },
      ),
      { numRuns: 300, seed: 1 },
    );
    await expect(shrink(model, null as never)).rejects.toThrow('[core]');
  });
});

it('two pruners of other types go through one interface', async () => {
  const all: readonly Pruner[] = [anyScores(1), pairs({ unit: 0, into: 1, score: 0 })];
  for (const pruner of all) {
    expect((await plan(smallMlp(), { pruner, budget: { count: 1 } })).pruner).toBe(pruner.name);
  }
});
