import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { byRank } from '../plan/by-rank.ts';
import type {
  BackwardPruner,
  EliminationPruner,
  Evidence,
  PairPruner,
  Proposal,
  Pruner,
  ScorePruner,
} from '../pruner.ts';
import { checks } from './checks.ts';
import { batch, judge, testPruner } from './index.ts';

const magnitude = (): ScorePruner => ({
  name: 'magnitude',
  score: ({ incoming }) => tf.norm(incoming, 'euclidean', 0),
});

const badness = (): ScorePruner<tf.Tensor> => ({
  name: 'badness',
  needs: ['errors'],
  init: (units) => tf.zeros([units]),
  onBatchEnd: ({ errors }, total) => tf.add(total, tf.sum(tf.square(errors), 0)),
  score: (_, total) => tf.neg(total),
});

/** Shifts of weights summed over an epoch; reads updates, and so isn't the same cut otherwise. */
const restlessness = (): ScorePruner<tf.Tensor> => ({
  name: 'restlessness',
  needs: ['updates'],
  init: (units) => tf.zeros([units]),
  onEpochBegin: (_, total) => tf.zerosLike(total),
  onBatchEnd: ({ updates: { incoming } }, total) =>
    tf.add(total, tf.sum(tf.abs(tf.sub(incoming.after, incoming.before)), [0, 1])),
  score: (_, total) => total,
});

/** Shifts of weights in the last epoch's last step, or the first of those that it is shown at once. */
const lastShift = (pools = false): ScorePruner<tf.Tensor> => ({
  ...restlessness(),
  name: 'last-shift',
  pools,
  onBatchEnd: ({ updates: { incoming } }) =>
    tf.sum(tf.abs(tf.slice(tf.sub(incoming.after, incoming.before), 0, 1)), [0, 1]),
});

/** Of the two units with the nearest biases, the one with the smaller goes into the other. */
const nearestBiases = (): PairPruner => ({
  name: 'nearest-biases',
  // the biases themselves on the diagonal
  compare: ({ bias }) => tf.add(tf.abs(tf.sub(tf.expandDims(bias, 1), bias)), tf.diag(bias)),
  propose(matrix, units) {
    let best: Required<Omit<Proposal, 'also' | 'price'>> | undefined;
    for (let one = 0; one < units; one++) {
      for (let two = one + 1; two < units; two++) {
        const score = matrix[one * units + two]!;
        if (best && best.score <= score) continue;
        const oneIsSmaller = matrix[one * units + one]! < matrix[two * units + two]!;
        best = oneIsSmaller ? { unit: one, into: two, score } : { unit: two, into: one, score };
      }
    }
    return best ? [best] : [];
  },
});

/** Those with the smallest biases first. */
const byBias = (): EliminationPruner => ({
  name: 'by-bias',
  measure: ({ bias }) => tf.expandDims(bias, 1),
  eliminate: (biases) =>
    Array.from(biases, (score, unit) => ({ unit, score })).sort((a, b) => a.score - b.score),
});

/** What the units do is worth to all that they feed. */
const forerunner = (): BackwardPruner<tf.Tensor> => ({
  name: 'forerunner',
  needs: ['activations'],
  init: (units) => tf.zeros([units]),
  onBatchEnd: ({ activations }, total) => tf.add(total, tf.sum(tf.abs(activations), 0)),
  last: (_, total) => total,
  pass: (outgoing, importance) => tf.dot(tf.abs(outgoing), importance),
});

describe('testPruner passes', () => {
  describe('weights alone', () => testPruner(magnitude));
  describe('errors', () => testPruner(badness));
  describe('updates', () => testPruner(restlessness));
  describe('updates, several steps at once', () => testPruner(() => ({ ...restlessness(), pools: true })));
  describe('updates, one member several steps at once and another each', () =>
    testPruner(() => byRank({ pruners: [{ ...restlessness(), pools: true }, lastShift()] })));
  describe('pairs', () => testPruner(nearestBiases));
  describe('one unit after another', () => testPruner(byBias));
  describe('from the outputs back', () => testPruner(forerunner));
  describe('given batches', () => {
    testPruner(badness, {
      batches: [
        { errors: [[1, 3]] },
        {
          errors: [
            [2, 0],
            [1, 1],
          ],
        },
      ],
    });
  });
});

/** Outlives every pruner, as a module's variable does. */
const outside: { total: number; answers: number; hoard: tf.Tensor[] } = { total: 0, answers: 0, hoard: [] };

const score = (judgeUnits: ScorePruner['score']): (() => Pruner) => {
  return () => ({ name: 'planted', score: judgeUnits });
};

const watching = (
  onBatchEnd: ScorePruner<tf.Tensor>['onBatchEnd'],
  needs: readonly Evidence[] = ['errors'],
) => {
  return (): Pruner => ({
    name: 'planted',
    needs,
    init: (units) => tf.zeros([units]),
    ...(onBatchEnd && { onBatchEnd }),
    score: (_, total: tf.Tensor) => total,
  });
};

const proposing = (...proposals: readonly Proposal[]): (() => Pruner) => {
  return () => ({
    name: 'planted',
    compare: ({ bias: b }) => tf.zeros([b.size, b.size]),
    propose: () => proposals,
  });
};

/** What is wrong, the check that must find it, what it must say, and the pruner. */
const planted: readonly (readonly [fault: string, check: string, message: RegExp, make: () => Pruner])[] = [
  [
    'keeps a tensor in a closure',
    'leaks no tensor',
    /1 tensors are left/,
    () => {
      let last: tf.Tensor | undefined;
      return watching(({ errors }, total) => {
        last?.dispose();
        last = tf.keep(tf.sum(errors, 0));
        return tf.add(total, last);
      })();
    },
  ],
  [
    'keeps a tensor for each batch',
    'leaks no tensor',
    /8 tensors are left/,
    watching(({ errors }, total) => tf.add(total, tf.keep(tf.sum(errors, 0)))),
  ],
  [
    'keeps a tensor in its factory',
    'leaks no tensor',
    /1 tensors are left/,
    () => {
      const two = tf.scalar(2);
      return score(({ bias }) => tf.mul(bias, two))();
    },
  ],
  [
    'draws without a seed',
    'gives the same answer twice',
    /judged again, it answers/,
    score(({ bias }) => tf.randomUniform(bias.shape)),
  ],
  [
    'counts its answers',
    'gives the same answer twice',
    /judged again, it answers/,
    score(({ bias }) => tf.add(bias, outside.answers++)),
  ],
  [
    'sums in a variable of its module',
    'gives the same answer twice',
    /made and run again, it answers/,
    watching(({ errors }, total) => {
      outside.total += tf.sum(tf.abs(errors)).dataSync()[0]!;
      return tf.add(total, outside.total);
    }),
  ],
  [
    'sums in a variable of its factory, for all groups',
    'remembers nothing outside its state',
    /run beside another group, it answers/,
    () => {
      let sum = 0;
      return watching(({ errors }, total) => {
        sum += tf.sum(tf.abs(errors)).dataSync()[0]!;
        return tf.add(total, sum);
      })();
    },
  ],
  [
    'gives one score too few',
    'answers for every unit',
    /shape \[6\].*got \[5\]/,
    score(({ bias }) => tf.slice(bias, 1)),
  ],
  [
    'gives a number for each pattern',
    'answers for every unit',
    /shape \[6\].*got \[6,4\]/,
    score(({ incoming }) => tf.transpose(incoming)),
  ],
  ['has no name', 'answers for every unit', /needs a name/, () => ({ ...magnitude(), name: '' })],
  [
    'needs evidence without a hook for it',
    'answers for every unit',
    /no onBatchEnd/,
    () => ({ ...magnitude(), needs: ['errors'] }),
  ],
  [
    'gives NaN',
    'answers for every unit',
    /gave NaN at position 0/,
    score(({ bias }) => tf.sqrt(tf.sub(tf.neg(tf.abs(bias)), 1))),
  ],
  [
    'passes importance on by the largest of what is not there',
    'copes with nothing but dead units',
    /pass gave NaN at position 0/,
    () => ({
      name: 'planted',
      pass: (outgoing, importance) => tf.dot(tf.div(outgoing, tf.max(tf.abs(outgoing))), importance),
    }),
  ],
  [
    'passes on the square of an importance',
    'passes on twice as much for twice the importance',
    /for an importance of 2, it answers/,
    () => ({
      name: 'planted',
      pass: (outgoing, importance) => tf.dot(tf.abs(outgoing), tf.square(importance)),
    }),
  ],
  [
    'divides by the length of dead units',
    'copes with some dead units',
    /gave NaN at position 0/,
    score(({ incoming }) => tf.div(tf.max(incoming, 0), tf.norm(incoming, 'euclidean', 0))),
  ],
  [
    'divides by the variance over patterns',
    'copes with constant activations',
    /must be finite/,
    watching(
      ({ activations }, total) => tf.add(total, tf.div(1, tf.moments(activations, 0).variance)),
      ['activations'],
    ),
  ],
  [
    'compares with a second unit',
    'copes with a single unit',
    /threw/,
    score(({ bias }) => tf.sub(bias, tf.slice(bias, 1, 1))),
  ],
  [
    'raises numbers to the eighth power',
    'copes with huge numbers',
    /gave Infinity/,
    score(({ bias }) => tf.pow(bias, 8)),
  ],
  [
    'divides by squares',
    'copes with tiny numbers',
    /must be finite/,
    score(({ bias }) => tf.div(bias, tf.square(bias))),
  ],
  [
    'knows nothing of the hundredth unit',
    'copes with many units, some of them alike',
    /shape \[256\]/,
    score(({ bias }) => tf.slice(bias, 0, Math.min(bias.size, 100))),
  ],
  [
    'disposes what it is shown',
    'leaves evidence and weights as they are',
    /disposed a tensor/,
    watching(({ errors, bias }, total) => {
      const next = tf.add(total, tf.sum(errors, 0));
      errors.dispose();
      return tf.add(next, bias);
    }),
  ],
  [
    'edits the numbers of a weight',
    'leaves evidence and weights as they are',
    /changed the values/,
    score(({ bias }) => {
      bias.dataSync()[0]! += 1;
      return bias;
    }),
  ],
  [
    'puts another tensor in the place of evidence',
    'leaves evidence and weights as they are',
    /replaced a tensor/,
    watching((seen, total) => {
      Object.assign(seen, { errors: tf.abs(seen.errors) });
      return tf.add(total, tf.sum(seen.errors, 0));
    }),
  ],
  [
    'reads evidence that it did not ask for',
    'reads only the evidence that it needs',
    /needs: \['activations'\]/,
    watching(({ activations }, total) => tf.add(total, tf.sum(activations, 0))),
  ],
  [
    'looks for evidence in the weights',
    'reads only the evidence that it needs',
    /'errors' is shown to onBatchEnd alone/,
    score((weights) => ('errors' in weights ? tf.sum(weights.errors as tf.Tensor, 0) : weights.bias)),
  ],
  [
    'needs what there is not',
    'reads only the evidence that it needs',
    /needs 'gradients'/,
    () => ({ ...badness(), needs: ['gradients' as 'errors'] }),
  ],
  [
    'keeps numbers that can not be saved',
    'goes on from what was saved',
    /typed array/,
    () => ({
      ...badness(),
      init: () => new Float32Array(6),
      onBatchEnd: (_, state) => state,
      score: ({ bias }) => bias,
    }),
  ],
  [
    'counts batches on its own',
    'goes on from what was saved',
    /saved and gone on/,
    () => {
      let batches = 0;
      return {
        ...badness(),
        init: () => 0,
        onBatchEnd: () => ++batches,
        score: ({ bias }, state) => tf.mul(tf.range(0, bias.size), state as number),
      } as Pruner;
    },
  ],
  [
    'averages the means of batches',
    'judges the same however the patterns are cut into batches',
    /in 4 batches instead of one/,
    watching(({ errors }, total) => tf.add(tf.div(total, 2), tf.mean(errors, 0))),
  ],
  [
    'looks at the first of several steps alone',
    'judges the same whether the optimizer’s steps come one by one or together',
    /of steps shown as one, it answers/,
    () => lastShift(true),
  ],
  [
    'favours the first units',
    'judges a unit the same wherever it stands',
    /in another order/,
    score(({ bias }) => tf.add(bias, tf.range(0, bias.size))),
  ],
  [
    'favours the first pair',
    'judges a unit the same wherever it stands',
    /in another order/,
    proposing({ unit: 0, into: 1, score: 1 }),
  ],
  [
    'proposes a unit twice',
    'answers for every unit',
    /unit 0 twice/,
    proposing({ unit: 0, score: 1 }, { unit: 0, score: 2 }),
  ],
  [
    'lets one unit go into another that goes',
    'answers for every unit',
    /unit 1 twice/,
    proposing({ unit: 0, into: 1, score: 1 }, { unit: 1, score: 2 }),
  ],
  [
    'eliminates a unit twice',
    'answers for every unit',
    /eliminate named unit 3 twice/,
    () => ({ ...byBias(), eliminate: () => [3, 3].map((unit) => ({ unit, score: 1 })) }),
  ],
  [
    'names only those units that it is told will go',
    'answers for every unit, however many will go',
    /where 0 will go, it names 0 of 6/,
    () => ({
      ...byBias(),
      byCount: true,
      eliminate: (_numbers, units, leaving = units) =>
        Array.from({ length: leaving }, (_, unit) => ({ unit, score: unit })),
    }),
  ],
  [
    'measures something else than units',
    'answers for every unit',
    /measure must return shape \[6,any\]/,
    () => ({ ...byBias(), measure: ({ incoming }) => incoming }),
  ],
  ['proposes a unit that there is not', 'answers for every unit', /unit 6/, proposing({ unit: 6, score: 1 })],
];

describe('testPruner fails a pruner that', () => {
  it.each(planted)('%s', async (_, name, message, make) => {
    const check = checks.find((one) => one.name === name)!;
    expect(check.applies?.({ make }) ?? true).toBe(true);
    await expect(check.run({ make })).rejects.toThrow(message);
  });
});

describe('testPruner', () => {
  it('lets a pruner be excused from streaming and from equivariance', () => {
    const applying = (options: object) =>
      checks.filter(({ applies }) => applies?.({ make: badness, ...options }) ?? true).length;
    const usual = applying({});
    expect(applying({ streams: false })).toBe(usual - 1);
    expect(applying({ streams: false, equivariant: false })).toBe(usual - 2);
  });

  it('frees its own tensors, though a check fails', async () => {
    const before = tf.memory().numTensors;
    const make = score(({ bias }) => tf.slice(bias, 1));
    for (const { run } of checks) await run({ make }).catch(() => undefined);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('batch', () => {
  it('takes the given parts and draws the others to fit', () => {
    const seen = batch({ errors: [[1, 2, 3]], fanIn: 2 });
    expect(seen.errors.arraySync()).toEqual([[1, 2, 3]]);
    expect(seen.activations.shape).toEqual([1, 3]);
    expect(seen.incoming.shape).toEqual([2, 3]);
    expect(seen.bias.shape).toEqual([3]);
    expect(seen.outgoing.shape).toEqual([3, 3]);
    expect(seen.updates.outgoing.gradient.shape).toEqual([1, 3, 3]);
  });

  it('draws the same by the same seed, and other numbers by another', () => {
    const drawn = (seed: number) => Array.from(batch({ seed }).incoming.dataSync());
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
    expect(Math.max(...drawn(1).map(Math.abs))).toBeLessThanOrEqual(1);
  });

  it('ends a left-out update at the weights, a tenth of the gradient away', () => {
    const { before, after } = batch({ incoming: [[1, 2]], updates: { incoming: { gradient: [[10, -10]] } } })
      .updates.incoming;
    expect(after.arraySync()).toEqual([[[1, 2]]]);
    expect(before.arraySync()).toEqual([[[2, 1]]]);
  });

  it('refuses parts that do not fit each other', () => {
    expect(() => batch({ errors: [[1, 2]], bias: [1] })).toThrow('differ in units: 1,2');
  });
});

describe('judge', () => {
  it('answers as core would', async () => {
    const judgement = await judge(badness(), [
      batch({
        errors: [
          [1, 3],
          [2, 0],
        ],
      }),
    ]);
    expect(judgement).toEqual([
      { unit: 1, score: -9 },
      { unit: 0, score: -5 },
    ]);
  });

  it('runs epoch after epoch', async () => {
    const step = (before: number, after: number) =>
      batch({ incoming: [[after]], updates: { incoming: { before: [[before]] } } });
    expect(await judge(restlessness(), [step(0, 4)], [step(4, 3), step(3, 1)])).toEqual([
      { unit: 0, score: 3 },
    ]);
  });

  it('needs a batch', async () => {
    await expect(judge(magnitude(), [])).rejects.toThrow('judge needs a batch');
  });
});
