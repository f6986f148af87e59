import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, layers, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadModel, type Quantization, quantizations, savedModel, saveModel, useEngine } from '../index.ts';
import { quantize } from './quantize.ts';

/** One weight of these values, through a file and TensorFlow.js' own decoder. */
function decoded(values: Float32Array, type: Quantization) {
  const specs = [{ name: 'w', shape: [values.length], dtype: 'float32' as const }];
  const stored = quantize({ specs, data: new Uint8Array(values.slice().buffer) }, type);
  const { w } = tf.io.decodeWeights(stored.data.slice().buffer as ArrayBuffer, stored.specs);
  const read = w!.dataSync() as Float32Array;
  w!.dispose();
  return { read, stored, quantization: stored.specs[0]!.quantization! };
}

const through = (values: readonly number[], type: Quantization) => decoded(Float32Array.from(values), type);

beforeAll(async () => {
  await useEngine('cpu');
});

describe('one weight', () => {
  it('in 8 bits is what tensorflowjs_converter makes of it', () => {
    // the example in its write_weights.py: [0, -0.1, 1.2] becomes [20, 0, 255]
    const { stored, quantization } = through([0, -0.1, 1.2], 'uint8');
    expect([...stored.data]).toEqual([20, 0, 255]);
    expect(quantization).toMatchObject({ dtype: 'uint8', original_dtype: 'float32' });
    expect(quantization.scale).toBeCloseTo(0.00509803940852, 9);
    expect(quantization.min).toBeCloseTo(-0.10196078817, 9);
  });

  it('in 16 bits has 65,535 steps, and each its place', () => {
    const { stored, quantization, read } = through([1, 2, 65536], 'uint16');
    expect([...new Uint16Array(stored.data.slice().buffer)]).toEqual([0, 1, 65535]);
    expect(quantization).toMatchObject({ dtype: 'uint16', min: 1, scale: 1 });
    expect([...read]).toEqual([1, 2, 65536]);
  });

  it('in float16 is the nearest there is, to even', () => {
    // 1 + 2^-11 lies halfway between 1 and the next, 6e-8 is the smallest of all, 65504 the largest
    const values = [0.1, -2, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -24, 65504, 0];
    const { read, quantization, stored } = through(values, 'float16');
    expect([...read]).toEqual([0.0999755859375, -2, 1, 1 + 2 ** -9, 2 ** -24, 65504, 0]);
    expect(quantization).toEqual({ dtype: 'float16', original_dtype: 'float32' });
    expect(stored.data.byteLength).toBe(2 * values.length);
  });

  it.each(quantizations)('of one value, or of none, is exact in %s', (type) => {
    for (const values of [[0.25, 0.25, 0.25], [0, 0], [-3], []]) {
      expect([...through(values, type).read]).toEqual(values);
    }
  });

  it.each(['uint8', 'uint16'] as const)('is off by at most half a step in %s, and 0 not at all', (type) => {
    fc.assert(
      fc.property(
        fc.float32Array({
          noNaN: true,
          noDefaultInfinity: true,
          min: -(2 ** 100),
          max: 2 ** 100,
          minLength: 1,
          maxLength: 40,
        }),
        fc.boolean(),
        (drawn, withZero) => {
          const values = withZero ? Float32Array.of(...drawn, 0) : drawn;
          const { read, quantization } = decoded(values, type);
          const { scale, min } = quantization as { scale: number; min: number };
          const size = Math.max(Math.abs(min), ...values.map(Math.abs));
          values.forEach((value, i) => {
            const isConstant = new Set(values).size === 1;
            // beside what float32 itself can't tell apart
            const bound = (isConstant ? 0 : scale / 2) + size * 2 ** -23;
            expect(Math.abs(read[i]! - value)).toBeLessThanOrEqual(bound);
            if (value === 0) expect(read[i]).toBe(0);
          });
        },
      ),
      { numRuns: 500, seed: 6 },
    );
  });

  it('is off by at most 2^-11 of itself in float16', () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true, min: -65504, max: 65504 }), (values) => {
        const { read } = decoded(values, 'float16');
        values.forEach((value, i) => {
          expect(Math.abs(read[i]! - value)).toBeLessThanOrEqual(
            Math.max(Math.abs(value) * 2 ** -11, 2 ** -25),
          );
        });
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  it('of another type stays as it is, between others', () => {
    const data = new Uint8Array([
      ...new Uint8Array(Float32Array.of(1, 3).buffer),
      ...new Uint8Array(Int32Array.of(7).buffer),
      1,
    ]);
    const specs = [
      { name: 'a', shape: [2], dtype: 'float32' as const },
      { name: 'b', shape: [], dtype: 'int32' as const },
      { name: 'c', shape: [1], dtype: 'bool' as const },
    ];
    const stored = quantize({ specs, data }, 'uint8');
    expect([...stored.data]).toEqual([0, 255, 7, 0, 0, 0, 1]);
    expect(stored.specs.map(({ quantization }) => quantization?.dtype)).toEqual([
      'uint8',
      undefined,
      undefined,
    ]);
  });

  it.each([
    [[1, Number.NaN], 'uint8', 'weight w holds NaN'],
    [[Number.NEGATIVE_INFINITY], 'float16', 'weight w holds -Infinity'],
    [[0, 70000], 'float16', 'weight w holds 70000, and float16 ends at 65504: quantize to uint16'],
  ] as const)('%j is refused in %s', (values, type, message) => {
    expect(() => through(values, type)).toThrow(message);
  });
});

describe('a model', () => {
  let home: string;
  let model: LayersModel;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'espalier-quantize-'));
    model = sequential({
      layers: [
        layers.conv2d({ inputShape: [8, 8, 1], filters: 6, kernelSize: 3, activation: 'relu', name: 'conv' }),
        layers.batchNormalization({ name: 'norm' }),
        layers.flatten(),
        layers.dense({ units: 4, name: 'out' }),
      ],
    });
  });
  afterEach(async () => {
    model.dispose();
    await rm(home, { recursive: true });
  });

  const outputs = (of: LayersModel): Float32Array =>
    tf.tidy(
      () =>
        (
          of.predict(tf.randomUniform([5, 8, 8, 1], 0, 1, 'float32', 3)) as tf.Tensor
        ).dataSync() as Float32Array,
    );

  /** Reads as a browser does: the description, and its shards one after the other. */
  async function loadedByTensorFlow(folder: string): Promise<LayersModel> {
    const json = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as tf.io.ModelJSON;
    const load = () =>
      tf.io.getModelArtifactsForJSON(json, async (manifest) => {
        const shards = manifest.flatMap(({ paths }) => paths).map((path) => readFile(join(folder, path)));
        const whole = Buffer.concat(await Promise.all(shards));
        return [manifest.flatMap(({ weights }) => weights), new Uint8Array(whole).buffer];
      });
    return loadLayersModel({ load });
  }

  it.each([
    ['float16', 2, 2e-3],
    ['uint16', 2, 1e-4],
    ['uint8', 1, 0.05],
  ] as const)(
    'in %s takes %i bytes a weight, and computes the same but for %f',
    async (type, bytes, bound) => {
      const expected = outputs(model);
      const largest = Math.max(...expected.map(Math.abs));
      const saved = await saveModel(model, join(home, type), { quantize: type });
      const size = saved.files.find(({ path }) => path.endsWith('weights.bin'))?.bytes;
      expect(size).toBe(model.countParams() * bytes);
      expect(await savedModel(join(home, type))).toEqual(saved);
      for (const load of [loadModel, loadedByTensorFlow]) {
        const loaded = await load(join(home, type));
        outputs(loaded).forEach((value, i) => {
          expect(Math.abs(value - expected[i]!)).toBeLessThan(bound * largest);
        });
        // written again as it was read
        await saveModel(loaded, join(home, 'again'), { quantize: type });
        const again = await readFile(join(home, 'again/weights.bin'));
        expect(again.equals(await readFile(join(home, type, 'weights.bin')))).toBe(true);
        loaded.dispose();
      }
    },
  );

  it('in shards has files of at most so many bytes, whatever lies across their ends', async () => {
    const { files } = await saveModel(model, home, { shardBytes: 999, quantize: 'uint16' });
    const size = model.countParams() * 2;
    const count = Math.ceil(size / 999);
    expect(files.map(({ path, bytes }) => [path.slice(home.length + 1), bytes])).toEqual([
      ...Array.from({ length: count }, (_, i) => [
        `group1-shard${i + 1}of${count}.bin`,
        Math.min(999, size - i * 999),
      ]),
      ['model.json', expect.any(Number)],
    ]);
    const loaded = await Promise.all([loadModel(home), loadedByTensorFlow(home)]);
    expect(outputs(loaded[0]!)).toEqual(outputs(loaded[1]!));
    expect((await savedModel(home)).bytes).toBe(files.reduce((sum, { bytes }) => sum + bytes, 0));
    for (const one of loaded) one.dispose();
  });

  it('that is replaced leaves no shards behind, and other files alone', async () => {
    await saveModel(model, home, { shardBytes: 500 });
    await writeFile(join(home, 'notes.bin'), 'mine');
    await saveModel(model, home, { shardBytes: 1000 });
    const count = Math.ceil((model.countParams() * 4) / 1000);
    const shards = Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`);
    expect((await readdir(home)).sort()).toEqual([...shards, 'model.json', 'notes.bin'].sort());
    await saveModel(model, home);
    expect((await readdir(home)).sort()).toEqual(['model.json', 'notes.bin', 'weights.bin']);
    expect(outputs(await loadModel(home))).toEqual(outputs(model));
  });

  it('is refused with what makes no sense, and nothing is written', async () => {
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    for (const [args, message] of [
      [{ quantize: 'int8' }, "quantize must be one of float16, uint8, uint16, got 'int8'"],
      [{ quantize: 'uint8', optimizer: true }, 'a training goes on from exact weights'],
      [{ shardBytes: 0 }, 'shardBytes must be a whole number of bytes above 0, got 0'],
      [{ shardBytes: 2.5 }, 'shardBytes must be'],
    ] as const) {
      await expect(saveModel(model, join(home, 'no'), args as never)).rejects.toThrow(`[engine] ${message}`);
    }
    model.layers[0]!.setWeights([tf.fill([3, 3, 1, 6], Number.NaN), tf.zeros([6])]);
    await expect(saveModel(model, join(home, 'no'), { quantize: 'uint8' })).rejects.toThrow(
      'weight conv/kernel holds NaN: has the training diverged?',
    );
    expect(await readdir(home)).toEqual([]);
  });

  it('leaks no tensors', async () => {
    const before = tf.memory().numTensors;
    await saveModel(model, home, { quantize: 'float16', shardBytes: 100 });
    expect(tf.memory().numTensors).toBe(before);
  });
});
