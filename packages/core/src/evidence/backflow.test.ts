import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, model as modelOf } from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prune } from '../callback.ts';
import { analyze } from '../graph/analyze.ts';
import { byRank } from '../plan/by-rank.ts';
import { judge } from '../plan/judge.ts';
import { plan } from '../plan/plan.ts';
import { everyEpochs } from '../plan/schedule.ts';
import type { BackwardPruner, ScorePruner } from '../pruner.ts';
import { mask } from '../surgery/mask.ts';
import { shrink } from '../surgery/shrink.ts';
import { modelDescription } from '../test-models/arbitrary.ts';
import { build, liven } from '../test-models/build.ts';
import { chain, on } from '../test-models/chain.ts';
import { smallMlp, smallResNet, task } from '../test-models/fixed.ts';
import { anyScores } from '../test-models/pruners.ts';

/** Yu et al. 2018: |W|^T s. */
const passing = {
  name: 'absolute',
  pass: (outgoing: tf.Tensor2D, importance: tf.Tensor1D) => tf.dot(tf.abs(outgoing), importance),
};
const absolute: BackwardPruner = passing;

/** The worth of each unit, by group. */
async function worthOf(
  model: LayersModel,
  pruner: BackwardPruner = absolute,
  scope?: string[],
): Promise<Record<string, number[]>> {
  const { x } = task(model, 8);
  const [verdict] = await judge(model, { pruners: [pruner], data: { x }, ...(scope && { scope }) });
  const worth = verdict!.groups.map(({ id, size, proposals }) => {
    const scores = new Array<number>(size).fill(Number.NaN);
    for (const { unit, score } of proposals) scores[unit] = score;
    return [id, scores.map((score) => Number(score.toPrecision(5)))];
  });
  return Object.fromEntries(worth);
}

/** The worth of each unit that is there, by group. */
async function rawWorth(model: LayersModel, scope: readonly string[]): Promise<Record<string, number[]>> {
  const [verdict] = await judge(model, { pruners: [absolute], scope });
  return Object.fromEntries(
    verdict!.groups.map(({ id, proposals }) => [
      id,
      proposals.toSorted((a, b) => a.unit - b.unit).map(({ score }) => score),
    ]),
  );
}

const set = (model: LayersModel, name: string, ...values: tf.TensorLike[]) => {
  const layer = model.getLayer(name);
  const rest = layer.getWeights().slice(values.length);
  layer.setWeights([
    ...values.map((value, i) => tf.tensor(value as number[], layer.getWeights()[i]!.shape)),
    ...rest,
  ]);
};

/** What is sent back to the units, summed over their positions. */
const sentBack: ScorePruner<tf.Tensor> = {
  name: 'sent-back',
  needs: ['errors'],
  init: (units) => tf.zeros([units]),
  onBatchEnd: ({ errors, patterns }, total) => tf.add(total, tf.div(tf.sum(errors, 0), patterns)),
  score: (_, total) => total,
};

describe('importance flows back', () => {
  it('through Dense layers: |W| for |W|', async () => {
    const model = chain(
      [2],
      layers.dense({ units: 2, name: 'one' }),
      layers.dense({ units: 3, name: 'two' }),
    );
    set(model, 'two', [1, -2, 0, 0, 3, -1]);
    set(model, 'out', [1, -1, 2, 0, 0, 0]);
    expect(await worthOf(model)).toEqual({ one: [6, 6], two: [2, 2, 0] });
  });

  it('from what the criterion says of the last units, in or out of the scope', async () => {
    const model = chain(
      [2],
      layers.dense({ units: 2, name: 'one' }),
      layers.dense({ units: 3, name: 'two' }),
    );
    set(model, 'two', [1, -2, 0, 0, 3, -1]);
    const pruner: BackwardPruner<tf.Tensor> = {
      ...passing,
      needs: ['activations'],
      init: (units) => tf.zeros([units]),
      // each is worth ten times its number, if anything was seen
      onBatchEnd: ({ activations }, state) => tf.add(state, tf.mul(10, tf.range(0, activations.shape[1]))),
      last: (_, state) => state,
    };
    expect(await worthOf(model, pruner)).toEqual({ one: [20, 50], two: [0, 10, 20] });
    expect(await worthOf(model, pruner, ['one'])).toEqual({ one: [20, 50] });
  });

  const dense = (units: number, name: string) => layers.dense({ units, name });
  const conv = (filters: number, name: string, args = {}) =>
    layers.conv2d({ filters, kernelSize: 2, name, ...args });
  /** In a linear network without negative weights, it is the gradient of the sum of what it puts out. */
  const linear: Record<string, () => LayersModel> = {
    'Dense layers': () => chain([3], dense(4, 'one'), dense(5, 'two')),
    'convolutions and Flatten': () =>
      chain([7, 7, 2], conv(3, 'one'), conv(4, 'two', { strides: 2 }), dense(3, 'wide')),
    'average pooling and normalisation': () =>
      chain(
        [9, 9, 2],
        conv(3, 'one'),
        layers.batchNormalization({ axis: 3 }),
        layers.averagePooling2d({ poolSize: 2 }),
        conv(4, 'two', { useBias: false }),
        layers.batchNormalization({}),
        layers.globalAveragePooling2d({}),
      ),
    'convolutions of each channel by itself': () =>
      chain(
        [6, 6, 2],
        conv(3, 'one'),
        conv(3, 'two'),
        layers.depthwiseConv2d({ kernelSize: 2 }),
        conv(2, 'three'),
        layers.separableConv2d({ filters: 4, kernelSize: 2, name: 'four' }),
      ),
    'a transposed convolution': () =>
      chain(
        [3, 3, 2],
        conv(3, 'one'),
        layers.conv2dTranspose({ filters: 4, kernelSize: 1, name: 'two' }),
        conv(2, 'three'),
      ),
    'Reshape of a Dense layer into a map': () =>
      chain([3], dense(12, 'one'), layers.reshape({ targetShape: [2, 2, 3] }), conv(2, 'two')),
    Concatenate: () => {
      const source = input({ shape: [3] });
      const [one] = on(dense(3, 'one'), source);
      const [two] = on(dense(2, 'two'), one!);
      const [joined] = on(layers.concatenate(), one!, two!);
      const [three] = on(dense(4, 'three'), joined!);
      return modelOf({ inputs: source, outputs: on(dense(2, 'out'), three!) });
    },
    'two outputs': () => {
      const source = input({ shape: [3] });
      const [one] = on(dense(3, 'one'), source);
      const [two] = on(dense(4, 'two'), one!);
      return modelOf({ inputs: source, outputs: [...on(dense(2, 'a'), one!), ...on(dense(3, 'b'), two!)] });
    },
    'a layer over time': () =>
      chain(
        [4, 3],
        layers.timeDistributed({ layer: dense(3, 'one') }),
        layers.conv1d({ filters: 2, kernelSize: 2, name: 'two' }),
      ),
  };

  /** Read behind a convolution of each channel by itself, but observed before it. */
  const elsewhere: Record<string, string[]> = {
    'convolutions of each channel by itself': ['two', 'three'],
  };

  it.each(Object.keys(linear))('as gradients do: %s', async (name) => {
    const model = linear[name]!();
    liven(model, 3);
    model.setWeights(model.getWeights().map((weight) => tf.abs(weight)));
    model.compile({ optimizer: 'sgd', loss: (_, made) => tf.sum(tf.reshape(made, [made.shape[0]!, -1]), 1) });
    const { x } = task(model, 4);
    const y = model.outputs.map(({ shape }) => tf.zeros([4, ...(shape.slice(1) as number[])]));
    const [flowed, sent] = await judge(model, { pruners: [absolute, sentBack], data: { x, y } });
    expect(flowed!.groups.length).toBeGreaterThan(1);
    flowed!.groups.forEach(({ id, proposals }, g) => {
      if (elsewhere[name]?.includes(id)) return;
      for (const { unit, score } of proposals) {
        const expected = sent!.groups[g]!.proposals.find((one) => one.unit === unit)!.score;
        expect(score / expected, `unit ${unit} of ${id}`).toBeCloseTo(1, 3);
      }
    });
  });

  it('behind each layer of a residual by itself, and to a unit from all that read it', async () => {
    const source = input({ shape: [2] });
    const [stem] = on(dense(2, 'stem'), source);
    const [inner] = on(dense(2, 'inner'), stem!);
    const [back] = on(dense(2, 'back'), inner!);
    const [sum] = on(layers.add(), stem!, back!);
    const model = modelOf({ inputs: source, outputs: on(dense(1, 'out'), sum!) });
    set(model, 'inner', [1, 0, 2, 3]);
    set(model, 'back', [0, 1, -5, 1]);
    set(model, 'out', [1, 10]);
    // behind the sum 1 and 10, so that inner has 0 + 10 and 5 + 10; the sum's units have 1 + 10 and 10 + 20 + 45 by all
    expect(await worthOf(model)).toEqual({ stem: [11, 75], inner: [10, 15] });
  });

  it('beside a layer that is added to what it reads', async () => {
    const source = input({ shape: [2] });
    const [stem] = on(dense(2, 'stem'), source);
    const [branch] = on(dense(2, 'branch'), stem!);
    const [sum] = on(layers.add(), stem!, branch!);
    const [top] = on(dense(1, 'top'), sum!);
    const model = modelOf({ inputs: source, outputs: on(dense(1, 'out'), top!) });
    set(model, 'branch', [0, 3, 1, 0]);
    set(model, 'top', [1, 2]);
    set(model, 'out', [1]);
    // by top 1 and 2, by branch 3 * 2 and 1 * 1
    expect(await worthOf(model)).toMatchObject({ stem: [7, 3] });
  });

  it('through each call of a shared layer', async () => {
    const source = input({ shape: [2] });
    const [one] = on(dense(2, 'one'), source);
    const shared = dense(2, 'shared');
    const [once] = on(shared, one!);
    const [twice] = on(shared, once!);
    const model = modelOf({ inputs: source, outputs: on(dense(1, 'out'), twice!) });
    set(model, 'shared', [1, 2, 0, 3]);
    set(model, 'out', [1, 1]);
    // the layer's units and its input's are tied: out says 1 1, the second call 3 3, the first 9 9
    expect(await worthOf(model)).toEqual({ one: [1 + 3 + 9, 1 + 3 + 9] });
  });

  it('not through units that are masked, nor once they are gone', async () => {
    const model = smallMlp();
    const { x } = task(model, 8);
    const made = await plan(model, { pruner: absolute, budget: { fraction: 0.5 }, data: { x } });
    const small = await shrink(model, made);
    await mask(model, made);
    const [masked, smaller] = [await worthOf(model), await worthOf(small)];
    for (const id of ['first', 'second'])
      expect(masked[id]!.filter((score) => !Number.isNaN(score))).toEqual(smaller[id]);
  });

  it('to any network’s units as without the ones that are masked', { tags: ['slow'] }, async () => {
    let counted = 0;
    const property = fc.asyncProperty(modelDescription, async (described) => {
      const model = build(described);
      // a channel of which one position is left is its own feature
      const there = analyze(model).groups.filter(
        ({ prunable, exact, size, kind }) => prunable && exact && size > 1 && kind !== 'feature',
      );
      if (there.length > 0) {
        const made = await plan(model, {
          pruner: anyScores(described.seed),
          scope: there.map(({ id }) => id),
          budget: { fraction: 0.4 },
        });
        const small = await shrink(model, made);
        await mask(model, made);
        const left = new Set(analyze(small).groups.map(({ id }) => id));
        const scope = there.map(({ id }) => id).filter((id) => left.has(id));
        const tensors = tf.memory().numTensors;
        const [masked, smaller] = [await rawWorth(model, scope), await rawWorth(small, scope)];
        expect(tf.memory().numTensors).toBe(tensors);
        for (const [id, worth] of Object.entries(smaller)) {
          const most = Math.max(...worth);
          expect(masked[id]!.length, id).toBe(worth.length);
          worth.forEach((one, unit) => {
            // all may be 0: behind weights that are
            const apart = Math.abs(one - masked[id]![unit]!);
            expect(apart, `unit ${unit} of ${id}`).toBeLessThanOrEqual(1e-4 * most);
          });
        }
        counted++;
        small.dispose();
      }
      model.dispose();
    });
    await fc.assert(property, { numRuns: 60 });
    expect(counted).toBeGreaterThan(30);
  });

  it('to what a layer reads of which labels say nothing, as if it were put out', async () => {
    const source = input({ shape: [4, 3] });
    const [one] = on(dense(2, 'one'), source);
    const [queries] = on(dense(3, 'queries'), one!);
    const [keys] = on(dense(3, 'keys'), one!);
    const [values] = on(dense(2, 'values'), one!);
    const [scores] = on(layers.dot({ axes: 2 }), queries!, keys!);
    const [mixed] = on(layers.dot({ axes: [2, 1] }), scores!, values!);
    const model = modelOf({ inputs: source, outputs: on(dense(1, 'out'), mixed!) });
    set(model, 'queries', [1, 0, 0, 0, 0, 4]);
    set(model, 'keys', [0, 0, 0, 1, 1, 1]);
    set(model, 'values', [1, 0, 0, 1]);
    set(model, 'out', [10, 20]);
    expect((await worthOf(model, absolute, ['one'])).one).toEqual([1 + 0 + 10, 4 + 3 + 20]);
  });

  it('far: products may outgrow float32', async () => {
    const model = chain([2], ...Array.from({ length: 60 }, (_, i) => dense(2, `d${i}`)));
    for (let i = 1; i < 60; i++) set(model, `d${i}`, [50, 0, 0, 100]);
    set(model, 'out', [1, 0, 0, 1]);
    const { d0 } = await worthOf(model);
    expect(d0![1]! / d0![0]! / 2 ** 59).toBeCloseTo(1, 3);
    expect(d0![0]).toBeGreaterThan(1e50);
  });
});

describe('a backward pruner', () => {
  const seeing: BackwardPruner<tf.Tensor> = {
    ...passing,
    needs: ['activations'],
    pools: true,
    init: (units) => tf.zeros([units]),
    onBatchEnd: ({ activations }, total) => tf.add(total, tf.sum(tf.abs(activations), 0)),
    last: (_, total) => total,
  };

  it('looks at the last groups alone', async () => {
    const model = smallMlp();
    const seen = new Set<number>();
    const onBatchEnd: BackwardPruner<tf.Tensor>['onBatchEnd'] = ({ activations }, total) => {
      seen.add(activations.shape[1]);
      return total;
    };
    await worthOf(model, { ...seeing, onBatchEnd }, ['first']);
    expect([...seen]).toEqual([5]);
  });

  it('plans with others, and leaks nothing', async () => {
    const model = smallResNet();
    const { x } = task(model, 8);
    const before = tf.memory().numTensors;
    const pruner = byRank({ pruners: [seeing, absolute] });
    const made = await plan(model, { pruner, budget: { fraction: 0.5 }, data: { x } });
    expect(made.groups.map(({ id }) => id)).toEqual(['stem', 'hidden']);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('prunes in the middle of a training, and again', async () => {
    const model = smallResNet();
    const { x, y } = task(model, 16);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const callback = prune(seeing, {
      scope: ['stem'],
      budget: { count: 2 },
      schedule: everyEpochs({ every: 1 }),
    });
    await model.fit(x, y, { epochs: 3, batchSize: 4, verbose: 0, callbacks: [callback] });
    const small = await shrink(model);
    expect(small.getLayer('stem').outputShape.at(-1)).toBe(4);
  });

  it('is told when it answers with what is no number for each unit', async () => {
    const model = smallMlp();
    const wrong: BackwardPruner = { name: 'wrong', pass: (outgoing) => tf.sum(outgoing) };
    await expect(worthOf(model, wrong)).rejects.toThrow(/\[wrong\] pass must return shape \[5\]/);
    const endless: BackwardPruner = { name: 'endless', pass: (outgoing) => tf.div(tf.sum(outgoing, 1), 0) };
    await expect(worthOf(model, endless)).rejects.toThrow(/\[endless\] pass gave/);
  });
});
