import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { prune } from '../callback.ts';
import { plan } from '../plan/plan.ts';
import { modelDescription } from '../test-models/arbitrary.ts';
import { build, examples, type ModelDescription, type Step } from '../test-models/build.ts';
import { dataOf, difference } from '../test-models/compare.ts';
import { anyScores } from '../test-models/pruners.ts';
import { mask } from './mask.ts';
import { shrink } from './shrink.ts';

/** More by `ESPALIER_CASES=3000 npx vitest run training-property`. */
const CASES = Math.ceil(Number(process.env.ESPALIER_CASES ?? 300) / 5);

/**
 * Without what is random in training, ThresholdedReLU, which TensorFlow.js has no gradient for, and normalisations
 * without scale or centre or along another axis than the last, which it fails to train.
 */
const trainable = (steps: readonly Step[]): Step[] =>
  steps
    .filter(({ operation, option }) => operation !== 'dropout' && (operation !== 'pointwise' || option !== 3))
    .map((step) => (step.operation === 'batchNorm' ? { ...step, size: 3, option: 0 } : step))
    .map((step) => (step.body ? { ...step, body: trainable(step.body) } : step));

// those that divide by the size of a gradient would blow rounding up where it is 0 but for rounding
const optimizers = [() => tf.train.sgd(0.003), () => tf.train.momentum(0.002, 0.8)];

// one number, because TensorFlow.js adds the losses of several outputs only if they have one shape
const meanOfSquares = (y: tf.Tensor, output: tf.Tensor): tf.Tensor =>
  tf.mean(tf.squaredDifference(y, output));

const weightsOf = (model: LayersModel) => dataOf(model).map((values) => Float32Array.from(values));

async function check(described: ModelDescription, seed: number): Promise<boolean> {
  const model = build({ ...described, steps: trainable(described.steps) });
  const x = examples(model, 4, seed);
  const y = tf.tidy(() => {
    const outputs = model.predict(x.length === 1 ? x[0]! : x);
    return (Array.isArray(outputs) ? outputs : [outputs]).map((output) => tf.add(output, 1));
  });
  const garbage: LayersModel[] = [model];
  const train = (one: LayersModel, callbacks: ReturnType<typeof prune>[] = []) =>
    one.fit(x, y, { epochs: 1, batchSize: 2, shuffle: false, verbose: 0, callbacks });
  try {
    model.compile({ optimizer: optimizers[seed % 2]!(), loss: meanOfSquares });
    try {
      await train(model);
    } catch (error) {
      // that of a transposed convolution in three dimensions
      if (String(error).includes('gradient function not found')) return false;
      throw error;
    }
    const options = { pruner: anyScores(seed), budget: { fraction: 0.5 } };
    const made = await plan(model, options).catch((error: Error) => {
      if (error.message.includes('no group of this model can be pruned')) return undefined;
      throw error;
    });
    if (!made?.groups.length) return false;
    const small = await shrink(model, made);
    garbage.push(small);
    await mask(model, made);
    const before = weightsOf(small);
    await train(model, [prune(anyScores(1), { budget: { fraction: 0 } })]);
    await train(small);
    const cut = await shrink(model);
    garbage.push(cut);
    const after = weightsOf(small);
    // a training that blew up or stood still says nothing
    const moved = difference(before, after);
    if (!(moved > 1e-3 && moved < 1)) return false;
    expect(difference(weightsOf(cut), after)).toBeLessThan(1e-5);
    return true;
  } finally {
    for (const one of garbage) one.dispose();
    tf.dispose([x, y]);
  }
}

it(`shrunk models train on as masked ones (${CASES} random models)`, { timeout: CASES * 2000 }, async () => {
  await fc.assert(
    fc.asyncProperty(modelDescription, fc.nat(100), async (described, seed) => {
      fc.pre(await check(described, seed));
    }),
    { numRuns: CASES, maxSkipsPerRun: 6, seed: Number(process.env.ESPALIER_SEED ?? 1) },
  );
});
