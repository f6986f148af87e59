import '@tensorflow/tfjs-backend-cpu';
import { judge as judgeModel, mask, plan, shrink } from '@espalier/core';
import { batch, judge, testPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NispArgs, nisp } from './index.ts';
import { addRows, infiniteFeatureSelection, noSums } from './inf-fs.ts';

describe('nisp', () => {
  testPruner(nisp);
});

describe('nisp from the outputs', () => {
  testPruner(() => nisp({ last: 'outputs' }));

  it('adds up absolute weights', async () => {
    const seen = batch({
      outgoing: [
        [1, -2, 3],
        [0, -1, 0],
      ],
    });
    expect(await judge(nisp({ last: 'outputs' }), [seen])).toEqual([
      { unit: 1, score: 1 },
      { unit: 0, score: 6 },
    ]);
  });
});

it.each([
  [{ last: 'relief' as 'inf-fs' }, "[pruner-nisp] last must be 'inf-fs'"],
  [{ last: [1, -1] }, '[pruner-nisp] last must be'],
  [{ alpha: 1.5 }, '[pruner-nisp] alpha must be from 0 to 1, got 1.5'],
])('nisp(%j) is refused', (args: NispArgs, message) => {
  expect(() => nisp(args)).toThrow(message);
});

/** The score of each unit, by group. */
async function scoresOf(
  model: LayersModel,
  args: NispArgs,
  x?: tf.Tensor,
): Promise<Record<string, number[]>> {
  const [verdict] = await judgeModel(model, { pruners: [nisp(args)], ...(x && { data: { x } }) });
  return Object.fromEntries(
    verdict!.groups.map(({ id, size, proposals }) => [
      id,
      Array.from({ length: size }, (_, unit) => proposals.find((one) => one.unit === unit)!.score),
    ]),
  );
}

const setKernel = (model: LayersModel, name: string, values: readonly number[]): void => {
  const layer = model.getLayer(name);
  const [kernel, ...others] = layer.getWeights();
  layer.setWeights([tf.tensor([...values], kernel!.shape), ...others]);
};

const mlp = (sizes: readonly number[]): LayersModel =>
  sequential({
    layers: sizes.slice(1).map((units, i) =>
      layers.dense({
        units,
        name: `fc${i + 1}`,
        activation: 'relu',
        ...(i === 0 && { inputShape: [sizes[0]!] }),
      }),
    ),
  });

describe('nisp in a network', () => {
  it('of two hidden layers: the example worked by hand', async () => {
    const model = mlp([2, 2, 3, 2]);
    setKernel(model, 'fc2', [1, -2, 0, 0, 3, -1]);
    setKernel(model, 'fc3', [1, -1, 2, 0, 0, 0]);
    // by the outputs 2, 2, 0, and then 1*2 + 2*2, 3*2
    expect(await scoresOf(model, { last: 'outputs' })).toEqual({ fc1: [6, 6], fc2: [2, 2, 0] });
    // 1*1 + 2*10, 3*10 + 1*100: the classifier's weights have no say
    expect(await scoresOf(model, { last: [1, 10, 100] })).toEqual({ fc1: [21, 130], fc2: [1, 10, 100] });
  });

  it('is the product of absolute matrices', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 3, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer(), async (sizes, seed) => {
        const model = mlp(sizes);
        const kernels = sizes
          .slice(1)
          .map((units, i) => tf.randomNormal([sizes[i]!, units], 0, 1, 'float32', seed + i));
        kernels.forEach((kernel, i) => {
          setKernel(model, `fc${i + 1}`, Array.from(kernel.dataSync()));
        });
        const scores = await scoresOf(model, { last: 'outputs' });
        for (let layer = 1; layer < kernels.length; layer++) {
          const product = kernels
            .slice(layer)
            .reduceRight(
              (worth, kernel) => tf.matMul(tf.abs(kernel), worth) as tf.Tensor2D,
              tf.ones([sizes.at(-1)!, 1]),
            );
          for (const [unit, expected] of product.dataSync().entries()) {
            expect(scores[`fc${layer}`]![unit]! / expected).toBeCloseTo(1, 4);
          }
        }
        tf.dispose(kernels);
        model.dispose();
      }),
      { numRuns: 20 },
    );
  });

  it('with convolutions, normalisation, a residual, pooling and Flatten: the example worked by hand', async () => {
    const on = (layer: unknown, ...tensors: SymbolicTensor[]) =>
      (layer as layers.Layer).apply(tensors.length === 1 ? tensors[0]! : tensors) as SymbolicTensor;
    const image = input({ shape: [4, 4, 1] });
    const conv = (filters: number, kernelSize: [number, number], name: string) =>
      layers.conv2d({ filters, kernelSize, name, useBias: false, activation: 'relu' });
    const stem = on(conv(2, [1, 1], 'stem'), image);
    const inner = on(conv(2, [1, 1], 'inner'), stem);
    const back = on(
      layers.batchNormalization({ name: 'norm', epsilon: 0 }),
      on(conv(2, [1, 1], 'back'), inner),
    );
    const sum = on(layers.add(), stem, back);
    const pooled = on(layers.maxPooling2d({ poolSize: [4, 2] }), on(conv(2, [1, 1], 'top'), sum));
    const hidden = on(layers.dense({ units: 2, name: 'hidden' }), on(layers.flatten(), pooled));
    const model = modelOf({ inputs: image, outputs: on(layers.dense({ units: 3, name: 'out' }), hidden) });
    const norm = model.getLayer('norm');
    norm.setWeights([tf.tensor1d([-2, 6]), tf.zeros([2]), tf.zeros([2]), tf.tensor1d([4, 9])]);
    setKernel(model, 'inner', [1, 2, 0, -1]);
    setKernel(model, 'back', [1, -1, 0, 2]);
    setKernel(model, 'top', [1, 0, -1, 1]);
    // two places with two channels each, by two units
    setKernel(model, 'hidden', [1, 0, 0, 1, -2, 0, 0, -3]);
    const last = [1, 10];
    // top, over its two places: 1 + 2 and 10 + 30
    // the sum behind the residual: 3 and 3 + 40; the norm passes 2/2 and 6/3 of it: 3 and 86
    // inner: 3 + 86 and 2 * 86; stem: what top reads and what inner reads, 1 * 89 + 2 * 172 and 1 * 172
    expect(await scoresOf(model, { last })).toEqual({
      stem: [3 + 433, 43 + 172],
      inner: [89, 172],
      top: [3, 40],
      hidden: [1, 10],
    });
  });

  it('asks for a number for each unit that is left', async () => {
    const model = mlp([2, 2, 3, 2]);
    await expect(scoresOf(model, { last: [1, 2] })).rejects.toThrow(
      "[nisp] last has 2 numbers, but 'fc2' has 3 units: give one for each that is left",
    );
  });

  it('plans, and the masked and the smaller model agree', async () => {
    const model = mlp([4, 8, 6, 3]);
    const x = tf.randomNormal([50, 4], 0, 1, 'float32', 3);
    const before = tf.memory().numTensors;
    const found = await plan(model, {
      pruner: nisp(),
      scope: ['fc1'],
      budget: { fraction: 0.5 },
      data: { x },
    });
    expect(tf.memory().numTensors).toBe(before);
    const small = await shrink(model, found);
    await mask(model, found);
    const [masked, smaller] = [model, small].map((one) => (one.predict(x) as tf.Tensor).dataSync());
    for (const [i, value] of smaller!.entries()) expect(value).toBeCloseTo(masked![i]!, 5);
  });
});

describe('infinite feature selection', () => {
  const scoresBy = (rows: number[][], alpha: number): number[] =>
    Array.from(
      infiniteFeatureSelection(addRows(noSums(rows[0]!.length), tf.tensor2d(rows)), alpha).dataSync(),
    );
  const ratios = (scores: readonly number[]) => scores.map((score) => score / scores[0]!);

  it('is the sum over all paths: the example worked by hand', () => {
    // deviations 1 and 0.5, correlation 1: A = 0.5 [[1, 1], [1, 0.5]], whose radius is (3 + 17^0.5) / 8
    const rows = [
      [1, 0.5],
      [-1, -0.5],
    ];
    const r = 0.9 / ((3 + Math.sqrt(17)) / 8);
    // ((I - rA)^-1 - I) 1, by Cramer's rule
    const determinant = (1 - 0.5 * r) * (1 - 0.25 * r) - (0.5 * r) ** 2;
    const expected = [(1 - 0.25 * r + 0.5 * r) / determinant - 1, (1 - 0.5 * r + 0.5 * r) / determinant - 1];
    const scores = scoresBy(rows, 0.5);
    expect(scores[0]! / expected[0]!).toBeCloseTo(1, 4);
    expect(scores[1]! / expected[1]!).toBeCloseTo(1, 4);
  });

  it('goes by spread alone, or by how little units are alike alone', () => {
    // the first two are the same, the third is of its own, all as wide
    const rows = [
      [1, 1, 1],
      [1, 1, -1],
      [-1, -1, 1],
      [-1, -1, -1],
    ];
    expect(ratios(scoresBy(rows, 1)).map((one) => Number(one.toFixed(4)))).toEqual([1, 1, 1]);
    const [first, second, third] = scoresBy(rows, 0);
    expect(first).toBeCloseTo(second!, 4);
    expect(third! / first!).toBeGreaterThan(1.2);
  });

  it('ranks a constant unit last, and copes with nothing else', () => {
    const [varies, constant] = scoresBy(
      [
        [1, 7],
        [-1, 7],
        [0.5, 7],
      ],
      0.5,
    );
    expect(constant!).toBeLessThan(varies!);
    expect(
      scoresBy(
        [
          [3, 7],
          [3, 7],
        ],
        0.5,
      ),
    ).toEqual([0, 0]);
  });
});
