import { useEngine } from '@espalier/engine';
import { addNoise } from '@espalier/noise';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Examples, evaluate, noiseCurves } from './index.ts';

const range = { low: Float32Array.of(-1, -1), high: Float32Array.of(1, 1) };

/** Two classes by the sign of the first input, and a network that looks at nothing else. */
function network(weight: number): tfl.Sequential {
  const model = tfl.sequential({
    layers: [tfl.layers.dense({ units: 2, activation: 'softmax', inputShape: [2] })],
  });
  model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
  model.setWeights([tf.tensor2d([weight, -weight, 0, 0], [2, 2]), tf.zeros([2])]);
  return model;
}

function examples(): Examples {
  const x = Float32Array.from({ length: 800 }, (_, i) => (i % 4 === 0 ? 0.5 : i % 4 === 2 ? -0.5 : 0));
  const y = Float32Array.from({ length: 800 }, (_, i) => (i % 4 === 0 || i % 4 === 3 ? 1 : 0));
  return { x: tf.tensor2d(x, [400, 2]), y: tf.tensor2d(y, [400, 2]) };
}

beforeAll(async () => {
  if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
});

afterEach(() => {
  tf.disposeVariables();
});

describe('noiseCurves', () => {
  it('measures every model at every level on the same noise, from none on, and leaves nothing behind', async () => {
    const [good, bad] = [network(1), network(-1)];
    const data = examples();
    const { numTensors } = tf.memory();
    const levels = { saltpepper: [0.5, 0.2], gaussian: [0.3] };
    const [right, wrong] = await noiseCurves([good, bad], data, { levels, range, seed: 3 });
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(right!.map(({ noise, points }) => [noise, points.map(({ level }) => level)])).toEqual([
      ['saltpepper', [0, 0.2, 0.5]],
      ['gaussian', [0, 0.3]],
    ]);
    // a fifth of the first inputs becomes -1 or 1, half of them with the wrong sign
    const [salted, blurred] = right!;
    expect(salted!.points.map(({ accuracy }) => accuracy)[0]).toBe(1);
    expect(Math.abs(salted!.points[1]!.accuracy - 0.9)).toBeLessThan(0.05);
    expect(Math.abs(salted!.points[2]!.accuracy - 0.75)).toBeLessThan(0.07);
    // 0.5 is 0.5 / 0.6 deviations away: Phi(0.833) = 0.798
    expect(Math.abs(blurred!.points[1]!.accuracy - 0.798)).toBeLessThan(0.06);
    for (const [i, { points }] of right!.entries()) {
      for (const [j, { accuracy }] of points.entries())
        expect(wrong![i]!.points[j]!.accuracy).toBeCloseTo(1 - accuracy, 9);
    }
  });

  it('says what evaluate says of the same noisy rows', async () => {
    const data = examples();
    const curves = await noiseCurves([network(1)], data, { levels: { gaussian: [0.4] }, range });
    const noises = [{ kind: 'gaussian', level: 0.4 }] as const;
    const noisy = addNoise(await data.x.data<'float32'>(), { inputShape: [2], range, noises, seed: 1 });
    const { accuracy, loss } = await evaluate(network(1), { ...data, x: tf.tensor2d(noisy, [400, 2]) });
    expect(curves[0]![0]!.points[1]).toEqual({ level: 0.4, accuracy, loss });
  });

  it('counts a level of 0 once, and refuses what cannot happen to the rows', async () => {
    const curves = await noiseCurves([network(1)], examples(), { levels: { gaussian: [0] }, range });
    expect(curves[0]![0]!.points).toHaveLength(1);
    const shifted = noiseCurves([network(1)], examples(), { levels: { shift: [1] }, range });
    await expect(shifted).rejects.toThrow('[noise] shift is for images');
  });
});
