import { type Dataset, mnist } from '@espalier/datasets';
import { lenet } from '@espalier/models';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type EngineName, findEngines, useEngine } from './index.ts';

const STEPS = 50;

/** Said for a run that proves less than it could. */
const skipped = (what: string, why: string): void => console.log(`Skipped: ${what}; ${why}`);

const dir = process.env.ESPALIER_DATA_DIR;
if (!dir) skipped('loss curves of the engines', 'set ESPALIER_DATA_DIR to a folder with mnist/');

/**
 * The loss of each step of LeNet 10-20-50, from the same weights, on the same images in the same order. With Adam:
 * momentum at a rate of 0.02 doubles a difference every other step, so that one engine, started from weights that
 * differ by 1e-7 of themselves, is 1e-2 away from itself after 50.
 */
async function lossCurve(engine: EngineName, { train }: Dataset, batch: number): Promise<number[]> {
  await useEngine(engine);
  const model = lenet({ conv: [10, 20], dense: [50], seed: 1 });
  const optimizer = tf.train.adam(0.001);
  model.compile({ optimizer, loss: 'categoricalCrossentropy' });
  const [losses, size]: [number[], number] = [[], 28 * 28];
  for (let start = 0; start < STEPS * batch; start += batch) {
    const x = tf.tensor(train.x.subarray(start * size, (start + batch) * size), [batch, 28, 28, 1]);
    const labels = Array.from(train.labels.subarray(start, start + batch));
    const y = tf.tidy(() => tf.cast(tf.oneHot(labels, 10), 'float32'));
    losses.push((await model.trainOnBatch(x, y)) as number);
    tf.dispose([x, y]);
  }
  model.dispose();
  optimizer.dispose();
  return losses;
}

describe.skipIf(!dir)('the loss of each of 50 steps of LeNet on MNIST', { tags: ['slow'] }, () => {
  let data: Dataset;
  beforeAll(async () => {
    data = await mnist({ limit: 64 * STEPS });
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  async function expectAgreement(a: EngineName, b: EngineName, batch: number): Promise<void> {
    const [actual, expected] = [await lossCurve(a, data, batch), await lossCurve(b, data, batch)];
    expect(Math.min(...expected)).toBeLessThan(0.8 * expected[0]!);
    const distance = Math.max(...actual.map((loss, i) => Math.abs(loss - expected[i]!)));
    expect(distance, `${a} and ${b}, batches of ${batch}`).toBeLessThan(1e-4);
  }

  it('is the same on wasm as on cpu to 1e-4', async () => {
    // cpu learns some ten images in a second
    await expectAgreement('wasm', 'cpu', 4);
  });

  it('is the same on wasm as on the native engine to 1e-4', async (test) => {
    // elsewhere tests look away from the cache, where `npm run native` puts it
    vi.stubEnv('ESPALIER_NATIVE_DIR', '');
    vi.stubEnv('TF_CPP_MIN_LOG_LEVEL', '2');
    const { available, reason } = (await findEngines()).find(({ name }) => name === 'tensorflow')!;
    if (!available) {
      skipped('the native engine', reason!);
      test.skip(reason);
    }
    await expectAgreement('wasm', 'tensorflow', 64);
  });
});
