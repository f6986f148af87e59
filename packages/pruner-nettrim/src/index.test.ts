import '@tensorflow/tfjs-backend-cpu';
import type { LayerProblem } from '@espalier/core';
import { testWeightPruner } from '@espalier/core/testing';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NetTrimArgs, netTrim } from './index.ts';

interface Numbers {
  readonly inputs: number[][];
  readonly kernel: number[][];
  readonly bias?: number[];
  readonly rectified?: boolean;
  /** What the layer summed up; by default what it does on these inputs. */
  readonly sums?: number[][];
}

interface Solved {
  readonly kernel: number[][];
  readonly bias: number[] | undefined;
  /** Of the bounds: how far the active sums are off as a share of the norm, how high the others rise above 0. */
  readonly off: number;
  readonly above: number;
}

async function solve(
  { inputs, kernel, bias, rectified = false, sums }: Numbers,
  args: NetTrimArgs,
): Promise<Solved> {
  const x = tf.tensor2d(inputs);
  const w = tf.tensor2d(kernel);
  const b = bias && tf.tensor1d(bias);
  const sumsOf = (weights: tf.Tensor2D, added?: tf.Tensor): tf.Tensor =>
    added ? tf.add(tf.matMul(x, weights), added) : tf.matMul(x, weights);
  const y = sums ? tf.tensor2d(sums) : (sumsOf(w, b) as tf.Tensor2D);
  const problem: LayerProblem = {
    layer: 'one',
    kernel: w,
    inputs: x,
    sums: y,
    rectified,
    ...(b && { bias: b }),
  };
  const found = await netTrim(args).solve(problem);
  return tf.tidy(() => {
    const active = rectified ? tf.cast(tf.greater(y, 0), 'float32') : tf.onesLike(y);
    const now = sumsOf(found.kernel, found.bias);
    const far = tf.norm(tf.mul(active, tf.sub(now, y))).dataSync()[0]!;
    const size = tf.norm(tf.mul(active, y)).dataSync()[0]!;
    return {
      kernel: found.kernel.arraySync(),
      bias: found.bias?.arraySync(),
      off: far / size,
      above: Math.max(0, tf.max(tf.mul(tf.sub(1, active), now)).dataSync()[0]!),
    };
  });
}

const exact = { iterations: 1000, tolerance: 1e-5, refit: false };
const closeTo = (value: number) => expect.closeTo(value, 2);

describe('netTrim', () => {
  testWeightPruner(() => netTrim({ epsilon: 0.3, iterations: 50 }));
  testWeightPruner(() => netTrim({ form: 'cascade', epsilon: 0.05, iterations: 50 }));

  it('shrinks orthogonal inputs alike, until they are as far off as they may be', async () => {
    // min |u| with |u - (3, 4, 0.5)| <= 1.5: every weight by t, those that are smaller than t to 0: 2 t² + 0.5² = 1.5²
    const inputs = [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ];
    const epsilon = 1.5 / Math.hypot(3, 4, 0.5);
    const { kernel, off } = await solve({ inputs, kernel: [[3], [-4], [0.5]] }, { epsilon, ...exact });
    expect(kernel).toEqual([[closeTo(2)], [closeTo(-3)], [0]]);
    expect(off).toBeCloseTo(epsilon, 4);
  });

  it('gives what is left its size back, and nothing else', async () => {
    const inputs = [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ];
    const numbers = { inputs, kernel: [[3], [-4], [0.5]] };
    const { kernel } = await solve(numbers, { epsilon: 0.3, ...exact, refit: true });
    expect(kernel).toEqual([[closeTo(3)], [closeTo(-4)], [0]]);
  });

  it('has the bounds of a whole layer shared out among its units', async () => {
    // one weight each: (5 - 3)² + 1² is all that they may be off together
    const { kernel } = await solve(
      { inputs: [[1]], kernel: [[5, 1]] },
      { epsilon: Math.sqrt(5 / 26), ...exact },
    );
    expect(kernel).toEqual([[closeTo(3), 0]]);
  });

  it('takes the one input that two others are made of', async () => {
    // the third column is the sum of the first two: 1 + 1 costs more than 1
    const inputs = [
      [1, 0, 1],
      [0, 1, 1],
      [2, -1, 1],
      [1, 1, 2],
    ];
    const { kernel } = await solve({ inputs, kernel: [[1], [1], [0]] }, { epsilon: 1e-3, ...exact });
    expect(kernel).toEqual([[0], [0], [closeTo(1)]]);
  });

  it('puts what is always there into the bias, which costs nothing', async () => {
    const inputs = [
      [3, 1],
      [3, -1],
      [3, 2],
    ];
    const { kernel, bias } = await solve(
      { inputs, kernel: [[1], [2]], bias: [-1] },
      { epsilon: 1e-3, ...exact },
    );
    expect(kernel[0]).toEqual([0]);
    expect(kernel[1]).toEqual([closeTo(2)]);
    expect(bias).toEqual([closeTo(2)]);
  });

  it('does not care how far below 0 a sum is that a relu follows', async () => {
    // sums 1, -1: with the relu -2 would do for the second as well as -1, and 0 costs least
    const numbers = {
      inputs: [
        [1, 0],
        [0, 1],
      ],
      kernel: [[1], [-1]],
    };
    const relu = await solve({ ...numbers, rectified: true }, { epsilon: 1e-3, ...exact });
    expect(relu.kernel).toEqual([[closeTo(1)], [0]]);
    const linear = await solve(numbers, { epsilon: 1e-3, ...exact });
    expect(linear.kernel).toEqual([[closeTo(1)], [closeTo(-1)]]);
  });

  it('keeps sums low where nothing came out', async () => {
    // u = 1.5 would be within epsilon of 2 on the first pattern; the second needs u0 + u1 <= 0
    const numbers = {
      inputs: [
        [1, 0],
        [1, 1],
      ],
      kernel: [[2], [-3]],
      rectified: true,
    };
    const { kernel, above } = await solve(numbers, { epsilon: 0.25, ...exact });
    expect(kernel).toEqual([[closeTo(1.5)], [closeTo(-1.5)]]);
    expect(above).toBeLessThan(1e-3);
  });

  it('lets a pruned layer be as far off as its old weights are on what it now reads', async () => {
    // it summed up 2 on an input of 1, and reads 2: the old weight makes 4 of it, 2 too much, however small epsilon is
    const numbers = { inputs: [[2]], kernel: [[2]], sums: [[2]] };
    const { kernel } = await solve(numbers, { epsilon: 0.01, form: 'cascade', gamma: 1, ...exact });
    // 2 u within 2 of 2
    expect(kernel).toEqual([[0]]);
    const near = await solve(
      { ...numbers, sums: [[3]] },
      { epsilon: 0.01, form: 'cascade', gamma: 1, ...exact },
    );
    // 2 u within 1 of 3
    expect(near.kernel).toEqual([[closeTo(1)]]);
  });

  it('is optimal: what is off pulls at each weight that is left alike, and at no other harder', async () => {
    // Karush, Kuhn, Tucker for |U|₁ in the ball: X'(Y - X U) = r sign(U) where U isn't 0, and no more than r elsewhere
    const draw = (rows: number, columns: number, seed: number) =>
      tf.tidy(() => tf.randomNormal<tf.Rank.R2>([rows, columns], 0, 1, 'float32', seed).arraySync());
    const [inputs, weights] = [draw(12, 8, 1), draw(8, 3, 2)];
    const { kernel, off } = await solve({ inputs, kernel: weights }, { epsilon: 0.4, ...exact });
    expect(off).toBeCloseTo(0.4, 3);
    const pulls = tf.tidy(() => {
      const x = tf.tensor2d(inputs);
      return tf.matMul<tf.Tensor2D>(x, tf.matMul(x, tf.sub(weights, kernel)), true).arraySync();
    });
    const most = Math.max(...pulls.flat().map(Math.abs));
    const left = kernel.flatMap((row, i) =>
      row.flatMap((weight, j) => (weight === 0 ? [] : [[i, j] as const])),
    );
    expect(left.length).toBeGreaterThan(4);
    expect(left.length).toBeLessThan(20);
    for (const [i, j] of left) {
      expect(pulls[i]![j]! * Math.sign(kernel[i]![j]!)).toBeGreaterThan(0.98 * most);
    }
  });

  it.each([1e-5, 1e-2, 1, 1e5])('goes alike with inputs of the size of %s', async (size) => {
    const draw = (rows: number, columns: number, seed: number, by: number) =>
      tf.tidy(() =>
        tf.mul<tf.Tensor2D>(tf.randomUniform([rows, columns], -0.2, 1, 'float32', seed), by).arraySync(),
      );
    const numbers = {
      inputs: draw(60, 12, 1, size),
      kernel: draw(12, 5, 2, 1 / size),
      bias: draw(1, 5, 3, 1)[0]!,
      rectified: true,
    };
    const { kernel, off, above } = await solve(numbers, { epsilon: 0.1, refit: false });
    expect(off).toBeLessThan(0.105);
    expect(above).toBeLessThan(0.05);
    expect(kernel.flat().filter((weight) => weight === 0).length).toBeGreaterThan(10);
  });

  it('gives up all weights of inputs that are always 0', async () => {
    const numbers = { inputs: [[0, 0]], kernel: [[1], [1]], rectified: true };
    expect((await solve(numbers, {})).kernel).toEqual([[0], [0]]);
  });

  it('keeps the bounds, with fewer patterns than inputs and with more', { tags: ['slow'] }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          patterns: fc.integer({ min: 2, max: 20 }),
          inputs: fc.integer({ min: 1, max: 12 }),
          outputs: fc.integer({ min: 1, max: 4 }),
          epsilon: fc.double({ min: 0.02, max: 0.5, noNaN: true }),
          rectified: fc.boolean(),
          hasBias: fc.boolean(),
          refit: fc.boolean(),
          seed: fc.integer({ min: 1, max: 1000 }),
        }),
        async ({ patterns, inputs, outputs, epsilon, rectified, hasBias, refit, seed }) => {
          const draw = (rows: number, columns: number, salt: number) =>
            tf.tidy(() =>
              tf.randomNormal<tf.Rank.R2>([rows, columns], 0, 1, 'float32', seed + salt).arraySync(),
            );
          const numbers = {
            inputs: draw(patterns, inputs, 1),
            kernel: draw(inputs, outputs, 2),
            rectified,
            ...(hasBias && { bias: draw(1, outputs, 3)[0]! }),
          };
          const { kernel, off, above } = await solve(numbers, {
            ...{ epsilon, refit, iterations: 500, tolerance: 1e-4 },
          });
          const [before, after] = [numbers.kernel, kernel].map((weights) =>
            weights.flat().reduce((total, weight) => total + Math.abs(weight), 0),
          );
          if (!refit) expect(after).toBeLessThanOrEqual(before! * 1.001);
          // where nothing comes out at all there is nothing to be off by
          if (Number.isFinite(off)) expect(off).toBeLessThan(epsilon * 1.02 + 1e-3);
          expect(above).toBeLessThan(0.02);
        },
      ),
      { numRuns: 15 },
    );
  });

  it.each<[NetTrimArgs, string]>([
    [{ epsilon: 0 }, 'epsilon must be above 0 and below 1, got 0'],
    [{ form: 'serial' as 'cascade' }, "form must be 'parallel' or 'cascade', got \"serial\""],
    [{ gamma: 0.9 }, 'gamma must be at least 1, got 0.9'],
    [{ patterns: 1.5 }, 'patterns must be a whole number above 0, got 1.5'],
    [{ iterations: 0 }, 'iterations must be a whole number above 0, got 0'],
    [{ tolerance: 1 }, 'tolerance must be above 0 and below 1, got 1'],
  ])('refuses %j', (args, message) => {
    expect(() => netTrim(args)).toThrow(`[pruner-nettrim] ${message}`);
  });
});
