import { fileURLToPath } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-layers';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { type Dataset, glyphs, type Part, toTensors } from './index.ts';

/** The share of test rows whose nearest class mean is their own class's. */
const nearestMean = ({ train, test, classes, inputShape }: Dataset): number => {
  const width = inputShape.reduce((product, side) => product * side, 1);
  const mean = Array.from(classes, () => new Float64Array(width));
  const rowOf = (part: Part, row: number): Float32Array => part.x.subarray(row * width, (row + 1) * width);
  const counts = new Float64Array(classes.length);
  for (const label of train.labels) counts[label]! += 1;
  for (const [row, label] of train.labels.entries()) {
    for (const [i, value] of rowOf(train, row).entries()) mean[label]![i]! += value / counts[label]!;
  }
  let right = 0;
  for (const [row, label] of test.labels.entries()) {
    const x = rowOf(test, row);
    const distances = mean.map((m) => m.reduce((sum, value, i) => sum + (value - x[i]!) ** 2, 0));
    if (distances.indexOf(Math.min(...distances)) === label) right += 1;
  }
  return right / test.rows;
};

describe('glyphs', () => {
  it('draws 12,000 images of 28 x 28 x 1 in [0, 1] in three seconds', () => {
    const start = Date.now();
    const data = glyphs({ of: 'letters' });
    expect(Date.now() - start).toBeLessThan(3000);
    expect([data.train.rows, data.validation.rows, data.test.rows]).toEqual([8400, 1800, 1800]);
    expect(data.inputShape).toEqual([28, 28, 1]);
    expect(data.train.x).toHaveLength(8400 * 784);
    const [low, high] = data.train.x.reduce(
      ([least, most], v) => [Math.min(least!, v), Math.max(most!, v)],
      [1, 0],
    );
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(0.9);
    expect(high).toBeLessThanOrEqual(1);
  });

  it('draws ink into every image, of every class', () => {
    const { train, classes } = glyphs({ of: 'letters', rows: 2000 });
    expect(new Set(train.labels).size).toBe(classes.length);
    for (let row = 0; row < train.rows; row++) {
      const ink = train.x.subarray(row * 784, (row + 1) * 784).reduce((sum, value) => sum + value, 0);
      expect(ink).toBeGreaterThan(5);
    }
  });

  it('are the same for the same seed, and none alike', () => {
    const [a, b, c] = [1, 1, 2].map((seed) => glyphs({ rows: 100, seed }));
    expect(a).toEqual(b);
    expect(c!.train.x).not.toEqual(a!.train.x);
    const images = Array.from({ length: 70 }, (_, row) =>
      a!.train.x.subarray(row * 784, (row + 1) * 784).join(),
    );
    expect(new Set(images).size).toBe(70);
  });

  it('are told apart better than by chance, and not by their mean image alone', () => {
    const right = nearestMean(glyphs({ rows: 3000 }));
    expect(right).toBeGreaterThan(0.4);
    expect(right).toBeLessThan(0.85);
  });

  it('says which arguments it cannot draw', () => {
    expect(() => glyphs({ of: 'runes' as 'letters' })).toThrow(
      "[datasets] unknown kind of glyphs 'runes'. Use one of: digits, letters",
    );
    expect(() => glyphs({ as: 'sounds' as 'images' })).toThrow("unknown form of glyphs 'sounds'");
    expect(() => glyphs({ rows: 0 })).toThrow('rows must be a whole number of 1 or more, got 0');
  });

  it('goes into a browser bundle', async () => {
    const entry = fileURLToPath(new URL('./index.ts', import.meta.url));
    const bundle = build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      platform: 'browser',
      external: ['@tensorflow/*'],
      logLevel: 'silent',
    });
    await expect(bundle).resolves.toMatchObject({ errors: [] });
  });
});

describe('features of glyphs', () => {
  const data = glyphs({ of: 'letters', as: 'features', rows: 6000 });

  it('are 16 z-scored numbers, each of which varies', () => {
    expect(data.inputShape).toEqual([16]);
    for (let column = 0; column < 16; column++) {
      const values = data.train.x.filter((_, i) => i % 16 === column);
      expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0, 3);
      expect(new Set(values).size).toBeGreaterThan(5);
    }
  });

  it('let a small network learn most letters, not all', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({
          units: 60,
          activation: 'relu',
          inputShape: [16],
          kernelInitializer: tf.initializers.heNormal({ seed: 1 }),
        }),
        tf.layers.dense({
          units: 26,
          activation: 'softmax',
          kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }),
        }),
      ],
    });
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const [train, test] = [toTensors(data, 'train'), toTensors(data, 'test')];
    await model.fit(train.x, train.y, { epochs: 12, batchSize: 64, verbose: 0, yieldEvery: 'never' });
    const [, accuracy] = model.evaluate(test.x, test.y) as [unknown, { dataSync(): Float32Array }];
    expect(accuracy.dataSync()[0]).toBeGreaterThan(0.75);
    expect(accuracy.dataSync()[0]).toBeLessThan(0.97);
  });
});
