import '@tensorflow/tfjs-backend-cpu';
import { everyEpochs, mask, type Proposal, plan, prune, type Seen } from '@espalier/core';
import { batch, judge, testPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { type AngleArgs, angle, type Gram } from './angle.ts';
import { rank } from './rank.ts';

/** What a neuron must output for its squashed activation, sigmoid(h) - 0.5, to be `s`. */
const unsquashed = (s: number) => 2 * Math.atanh(2 * s);

/** Two patterns on which the units' squashed vectors have these directions (degrees) and lengths (< 0.5). */
const vectors = (...polar: readonly (readonly [degrees: number, length: number])[]) => ({
  activations: [Math.cos, Math.sin].map((axis) =>
    polar.map(([degrees, length]) => unsquashed(length * axis((degrees * Math.PI) / 180))),
  ),
});

const proposalsOf = async (
  args: AngleArgs,
  ...polar: readonly (readonly [degrees: number, length: number])[]
): Promise<Proposal[]> => {
  const judgement = await judge(angle(args), [batch(vectors(...polar))]);
  const rounded = (degrees: number) => Math.round(degrees * 100) / 100;
  return judgement.map(({ score, price, ...units }) => ({
    ...units,
    score: rounded(score),
    ...(price !== undefined && { price: rounded(price) }),
  }));
};

/** Batches of random activations in [-1, 1), one at a time. */
function* randomBatches(patterns: number, units: number, size: number): Generator<Seen> {
  const shown = batch({ units, patterns: 1, fanIn: 1, fanOut: 1 });
  for (let start = 0; start < patterns; start += size) {
    const activations = tf.randomUniform<tf.Rank.R2>([size, units], -1, 1, 'float32', `batch at ${start}`);
    yield { ...shown, activations };
    activations.dispose();
  }
}

/** What `angle` knows after the batches, which are disposed one by one as a training would. */
function gather(units: number, batches: Iterable<Seen>): Gram {
  const pruner = angle();
  let state = pruner.init!(units);
  for (const seen of batches) {
    const next = tf.tidy(() => pruner.onBatchEnd!(seen, state));
    tf.dispose(state);
    state = next;
  }
  return state;
}

/** The angle in float64 between two columns of activations. */
function exactAngle(rows: readonly (readonly number[])[], low: number, high: number): number {
  const vector = (unit: number) => rows.map((row) => 1 / (1 + Math.exp(-row[unit]!)) - 0.5);
  const [a, b] = [vector(low), vector(high)];
  // by tangent, which is exact near 0 and 180 degrees, where the cosine isn't
  const length = (v: readonly number[]) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
  const [la, lb] = [length(a), length(b)];
  const apart = length(a.map((x, p) => x / la - b[p]! / lb));
  const along = length(a.map((x, p) => x / la + b[p]! / lb));
  return (2 * Math.atan2(apart, along) * 180) / Math.PI;
}

describe('angle', () => {
  testPruner(angle);
  testPruner(() => angle({ lower: 80, upper: 100, complementary: 'remove' }));

  it('lets the shorter of two similar units go into the longer, at their angle', async () => {
    expect(await proposalsOf({ lower: 60 }, [0, 0.2], [40, 0.3])).toEqual([{ unit: 0, into: 1, score: 40 }]);
    expect(await proposalsOf({ lower: 60 }, [0, 0.4], [40, 0.3])).toEqual([{ unit: 1, into: 0, score: 40 }]);
  });

  it('of two equal units lets the one with the higher index go', async () => {
    expect(await proposalsOf({}, [30, 0.3], [30, 0.3])).toEqual([{ unit: 1, into: 0, score: 0 }]);
  });

  it('adds one complementary unit to the other, or removes both', async () => {
    const pair = [
      [0, 0.2],
      [170, 0.3],
    ] as const;
    expect(await proposalsOf({ upper: 150 }, ...pair)).toEqual([{ unit: 0, into: 1, score: 170, price: 10 }]);
    expect(await proposalsOf({ upper: 150, complementary: 'remove' }, ...pair)).toEqual([
      { unit: 0, also: 1, score: 170, price: 10 },
    ]);
  });

  it('still adds similar units when it removes complementary ones', async () => {
    const args = { lower: 60, upper: 150, complementary: 'remove' } as const;
    expect(await proposalsOf(args, [0, 0.3], [20, 0.2])).toEqual([{ unit: 1, into: 0, score: 20 }]);
  });

  it('proposes only pairs beyond its bounds; one bound alone leaves the other side be', async () => {
    const units = [
      [0, 0.4],
      [50, 0.3],
      [215, 0.2],
    ] as const; // angles 50, 145 and 165
    expect(await proposalsOf({ lower: 45, upper: 170 }, ...units)).toEqual([]);
    expect(await proposalsOf({ lower: 60 }, ...units)).toEqual([{ unit: 1, into: 0, score: 50 }]);
    expect(await proposalsOf({ upper: 140 }, ...units)).toEqual([
      { unit: 2, into: 1, score: 165, price: 15 },
    ]);
    expect(await proposalsOf({ lower: 60, upper: 140 }, ...units)).toEqual([
      { unit: 2, into: 1, score: 165, price: 15 },
    ]);
  });

  it('takes the pairs nearest to 0 or 180 degrees first, each unit once, at most half of them', async () => {
    // 0-1: 10, 0-2: 174, 1-2: 164, 3 and 4 are 30 apart and between the others
    const units = [
      [0, 0.4],
      [10, 0.3],
      [174, 0.2],
      [75, 0.25],
      [105, 0.1],
    ] as const;
    expect(await proposalsOf({}, ...units)).toEqual([
      { unit: 2, into: 0, score: 174, price: 6 },
      { unit: 4, into: 3, score: 30 },
    ]);
  });

  it('proposes dead units first, with nobody to take over', async () => {
    expect(await proposalsOf({}, [0, 0.3], [0, 0], [20, 0.2], [0, 0])).toEqual([
      { unit: 1, score: 0 },
      { unit: 3, score: 0 },
      { unit: 2, into: 0, score: 20 },
    ]);
  });

  it('squashes: beyond saturation all activations are the same', async () => {
    const seen = batch({
      activations: [
        [50, 90, 50],
        [90, 50, -90],
      ],
    });
    expect(await judge(angle({ lower: 1 }), [seen])).toEqual([{ unit: 1, into: 0, score: 0 }]);
  });

  it('forgets an epoch when the next begins', async () => {
    const [old, now] = [batch(vectors([0, 0.3], [90, 0.2])), batch(vectors([0, 0.3], [20, 0.2]))];
    expect(await judge(angle({ lower: 30 }), [old, now])).toEqual([]);
    const [pair] = await judge(angle({ lower: 30 }), [old], [now]);
    expect(pair?.score).toBeCloseTo(20, 3);
  });

  it('refuses to judge before it has seen a pattern', () => {
    const pruner = angle();
    expect(() => pruner.compare(batch(), pruner.init!(6))).toThrow('no pattern has been seen');
  });

  it('puts the lengths on the diagonal of what it compares', () => {
    const pruner = angle();
    const seen = batch(vectors([0, 0.3], [90, 0.2], [0, 0]));
    const matrix = pruner.compare(seen, pruner.onBatchEnd!(seen, pruner.init!(3))).arraySync() as number[][];
    const expected = [
      [0.3, 90, 90],
      [90, 0.2, 90],
      [90, 90, 0],
    ];
    for (const [i, row] of matrix.entries()) {
      for (const [j, value] of row.entries()) expect(value).toBeCloseTo(expected[i]![j]!, 4);
    }
  });

  it('stays within 0.05 degrees over 60,000 patterns in small batches', async () => {
    // the worst for sums in float32: of one sign, hardly changing, so that roundings add up; angles near 0
    const [patterns, size] = [60_000, 16];
    const rows = Array.from({ length: patterns }, (_, p) => {
      const wave = Math.sin(p * 0.37);
      const one = 1 + 0.1 * wave;
      return [one, one + 0.002 * Math.cos(p), 1.4 - 0.3 * wave, -one * 0.9, 1.0001 * one].map(Math.fround);
    });
    const shown = batch({ units: 5 });
    function* batches(): Generator<Seen> {
      for (let start = 0; start < patterns; start += size) {
        const activations = tf.tensor2d(rows.slice(start, start + size));
        yield { ...shown, activations };
        activations.dispose();
      }
    }
    const matrix = angle().compare(shown, gather(5, batches())).arraySync() as number[][];
    for (let low = 0; low < 5; low++) {
      for (let high = low + 1; high < 5; high++) {
        expect(Math.abs(matrix[low]![high]! - exactAngle(rows, low, high))).toBeLessThan(0.05);
      }
    }
  });

  it('holds two matrices of the units, and eight while it works, however many the patterns', async () => {
    const [units, size] = [640, 250];
    const matrixBytes = 4 * units * units;
    const before = tf.memory();
    const state = gather(units, randomBatches(3000, units, size));
    // the weights and errors of randomBatches' batch are small change
    expect(tf.memory().numBytes - before.numBytes).toBeLessThan(2.1 * matrixBytes);
    const bytes = tf.memory().numBytes;
    const [seen] = [...randomBatches(size, units, size)];
    const activations = tf.zeros<tf.Rank.R2>([size, units]);
    const work = () => tf.tidy(() => angle().onBatchEnd!({ ...seen!, activations }, state)).sum;
    expect((await tf.profile(work)).peakBytes - bytes).toBeLessThan(8 * matrixBytes);
  });

  it('matches 640 units in less than 0.2 s', () => {
    const units = 640;
    const matrix = tf.randomUniform([units, units], 0, 180, 'float32', 'matrix').dataSync() as Float32Array;
    const pruner = angle();
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      pruner.propose(matrix, units);
      return performance.now() - start;
    });
    // the best of some: what else the machine does is not in question
    expect(Math.min(...times)).toBeLessThan(200);
    const proposals = pruner.propose(matrix, units);
    expect(proposals).toHaveLength(units / 2);
    const nearness = proposals.map(({ score }) => Math.min(score, 180 - score));
    expect(nearness).toEqual([...nearness].sort((a, b) => a - b));
  });

  it.each<[AngleArgs, string]>([
    [{ lower: 150, upper: 60 }, '[pruner-angle] lower must be below upper, got 150 and 60'],
    [{ lower: 60, upper: 60 }, '[pruner-angle] lower must be below upper, got 60 and 60'],
    [{ lower: -1 }, '[pruner-angle] lower must be from 0 to 180 degrees, got -1'],
    [{ upper: 181 }, '[pruner-angle] upper must be from 0 to 180 degrees, got 181'],
    [{ lower: Number.NaN }, '[pruner-angle] lower must be from 0 to 180 degrees, got NaN'],
    [
      { complementary: 'both' as 'add' },
      "[pruner-angle] complementary must be 'add' or 'remove', got 'both'",
    ],
  ])('refuses %o', (args, message) => {
    expect(() => angle(args)).toThrow(message);
  });
});

describe('angle in core', () => {
  /** Of the four hidden units, 2 does what 0 does, and 3 is dead. */
  const repetitive = () => {
    const model = sequential();
    model.add(layers.dense({ units: 4, inputShape: [3], activation: 'relu', name: 'hidden' }));
    model.add(layers.dense({ units: 2, name: 'out' }));
    model.layers[0]!.setWeights([
      tf.tensor2d([
        [1, -1, 1, 0],
        [2, 0.5, 2, 0],
        [-1, 1, -1, 0],
      ]),
      tf.tensor1d([0.5, 0.1, 0.5, -1]),
    ]);
    model.layers[1]!.setWeights([
      tf.tensor2d([
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
      ]),
      tf.zeros([2]),
    ]);
    return model;
  };
  const x = tf.randomUniform([50, 3], -1, 1, 'float32', 'x');

  it('takes out what does nothing of its own, and the model answers as before', async () => {
    const model = repetitive();
    const before = (model.predict(x) as tf.Tensor).dataSync();
    const found = await plan(model, { pruner: angle({ lower: 1 }), data: { x } });
    expect(found.groups.map(({ id, remove }) => [id, [...remove].sort()])).toEqual([['hidden', [2, 3]]]);
    await mask(model, found);
    const after = (model.predict(x) as tf.Tensor).dataSync();
    for (const [i, value] of after.entries()) expect(value).toBeCloseTo(before[i]!, 5);
    // the masked units' activations live on, but they are out of the running
    const again = await plan(model, { pruner: angle({ lower: 1 }), data: { x } });
    expect(again.groups).toEqual(found.groups);
  });

  it('prunes in the middle of a training', async () => {
    const model = repetitive();
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const callbacks = [
      prune(angle({ lower: 20, upper: 150 }), { schedule: everyEpochs({ every: 2, until: 0.7 }) }),
    ];
    await model.fit(x, tf.zeros([50, 2]), { epochs: 4, batchSize: 16, verbose: 0, callbacks });
    const outgoing = model.layers[1]!.getWeights()[0]!.arraySync() as number[][];
    expect(outgoing[3]).toEqual([0, 0]);
    expect(outgoing.filter((row) => row.every((weight) => weight === 0))).not.toHaveLength(4);
  });
});

describe('rank', () => {
  it('orders as a stable sort does', () => {
    const values = Float32Array.from({ length: 5000 }, (_, i) => ((i * 7919) % 1013) / 11);
    const positions = Array.from(values, (_, position) => position);
    expect(Array.from(rank(values))).toEqual(positions.sort((a, b) => values[a]! - values[b]!));
  });

  it('reads no further than its view', () => {
    expect(Array.from(rank(Float32Array.of(9, 3, 1, 2).subarray(1, 3)))).toEqual([1, 0]);
  });
});
