import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, sequential } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import { pruneWeights } from '../weights/prune-weights.ts';
import type { LayerProblem, WeightPruner } from '../weights/weight-pruner.ts';

/**
 * Registers the tests that every pruner of single weights passes, inside the `describe` that it is called in.
 *
 * It answers for dense layers and convolutions, with a bias and without, with finite numbers of the right shapes; makes
 * zeros; gives the same answer twice, bit for bit; and edits, disposes and leaks no tensor.
 *
 * @param make makes the pruner, as a user would: it is called for each test.
 */
export function testWeightPruner(make: () => WeightPruner): void {
  it('makes zeros in every kind of layer', async () => {
    const { kernels } = await run(make(), async (_, pruned) => pruned);
    expect(kernels.map(({ layer }) => layer)).toEqual(['conv', 'bare', 'hidden', 'out']);
    for (const { zeros, weights } of kernels) {
      expect(zeros).toBeGreaterThan(0);
      expect(zeros).toBeLessThan(weights);
    }
  });

  it('gives the same answer twice', async () => {
    const weights = () =>
      run(make(), async (model) =>
        tf.tidy(() => model.getWeights().map((one) => Array.from(one.dataSync()))),
      );
    expect(await weights()).toEqual(await weights());
  });

  it('leaks no tensor', async () => {
    // what an engine makes once and keeps
    await run(make(), async () => undefined);
    const before = tf.memory().numTensors;
    await run(make(), async () => undefined);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('leaves what it is shown as it was', async () => {
    await run(watched(make()), async () => undefined);
  });
}

type Pruned = Awaited<ReturnType<typeof pruneWeights>>;

async function run<T>(
  pruner: WeightPruner,
  look: (model: LayersModel, pruned: Pruned) => Promise<T>,
): Promise<T> {
  const [model, x] = [net(), images()];
  try {
    const pruned = await pruneWeights(
      model,
      'score' in pruner ? { pruner, fraction: 0.5 } : { pruner, data: { x, batchSize: 8 } },
    );
    return await look(model, pruned);
  } finally {
    model.dispose();
    x.dispose();
  }
}

const images = (): tf.Tensor4D => tf.randomUniform([20, 6, 6, 2], 0, 1, 'float32', 7);

function net(): LayersModel {
  const model = sequential({
    layers: [
      layers.conv2d({ name: 'conv', filters: 4, kernelSize: 3, inputShape: [6, 6, 2], activation: 'relu' }),
      layers.conv2d({ name: 'bare', filters: 3, kernelSize: 2, strides: 2, useBias: false }),
      layers.flatten(),
      layers.dense({ name: 'hidden', units: 8, activation: 'relu' }),
      layers.dense({ name: 'out', units: 3, activation: 'softmax' }),
    ],
  });
  const drawn = model.getWeights().map(({ shape }, i) => tf.randomNormal(shape, 0, 0.5, 'float32', i + 1));
  model.setWeights(drawn);
  tf.dispose(drawn);
  return model;
}

/** The same pruner; it fails if what was given to it is not what it was. */
function watched(pruner: WeightPruner): WeightPruner {
  const numbers = (given: readonly tf.Tensor[]) => given.map((tensor) => Array.from(tensor.dataSync()));
  if ('score' in pruner) {
    const score = (kernel: tf.Tensor) => {
      const before = numbers([kernel]);
      const scores = pruner.score(kernel);
      expect(numbers([kernel])).toEqual(before);
      return scores;
    };
    return { ...pruner, score };
  }
  const solve = async (problem: LayerProblem) => {
    const before = numbers(tensorsOf(problem));
    const solution = await pruner.solve(problem);
    expect(numbers(tensorsOf(problem))).toEqual(before);
    return solution;
  };
  return { ...pruner, solve };
}

const tensorsOf = ({ kernel, bias, inputs, sums }: LayerProblem): tf.Tensor[] => [
  ...[kernel, inputs, sums],
  ...(bias ? [bias] : []),
];
