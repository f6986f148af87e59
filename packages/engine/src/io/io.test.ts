import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import {
  constraints,
  model as functional,
  input,
  type LayersModel,
  layers,
  sequential,
} from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadModel, saveModel, useEngine } from '../index.ts';

const disk = vi.hoisted(() => ({ full: false }));
vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  const writeFile: typeof real.writeFile = async (...args) => {
    if (disk.full && String(args[0]).endsWith('model.json')) {
      await real.writeFile(args[0], 'half a mod');
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    }
    return real.writeFile(...args);
  };
  return { ...real, writeFile };
});

let home: string;
let model: LayersModel;

const read = async (path: string) => JSON.parse(await readFile(path, 'utf8'));
const weightsOf = (m: LayersModel) => m.getWeights().map((w) => w.dataSync());

beforeAll(async () => {
  await useEngine('wasm');
});

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'espalier-engine-'));
  model = sequential({
    layers: [
      layers.conv2d({ inputShape: [6, 6, 1], filters: 2, kernelSize: 3, activation: 'relu', name: 'c1' }),
      layers.batchNormalization({ name: 'norm' }),
      layers.flatten(),
      layers.dense({ units: 3, activation: 'softmax', name: 'out' }),
    ],
  });
});

afterEach(async () => {
  disk.full = false;
  model.dispose();
  await rm(home, { recursive: true });
});

describe('saveModel', () => {
  it('round-trips weights, outputs and metadata, on every engine', async () => {
    const saved = await saveModel(model, join(home, 'deep/er/model'), { metadata: { step: 3, from: ['a'] } });
    const x = tf.randomUniform([2, 6, 6, 1]);
    const expected = (model.predict(x) as tf.Tensor).dataSync();
    for (const engine of ['wasm', 'cpu'] as const) {
      await useEngine(engine);
      const loaded = await loadModel(join(home, 'deep/er/model'));
      expect(weightsOf(loaded)).toEqual(weightsOf(model));
      expect(loaded.layers.map(({ name }) => name)).toEqual(model.layers.map(({ name }) => name));
      (loaded.predict(x) as tf.Tensor).dataSync().forEach((y, i) => {
        expect(y).toBeCloseTo(expected[i]!, 5);
      });
      expect(loaded.getUserDefinedMetadata()).toEqual({ step: 3, from: ['a'] });
      loaded.dispose();
    }
    await useEngine('wasm');
    x.dispose();

    for (const { path, bytes } of saved.files) expect((await stat(path)).size).toBe(bytes);
    expect(saved.files.map(({ path }) => path.slice(home.length))).toEqual([
      '/deep/er/model/weights.bin',
      '/deep/er/model/model.json',
    ]);
    expect(saved.bytes).toBe(saved.files.reduce((sum, { bytes }) => sum + bytes, 0));
    const contents = await Promise.all(saved.files.map(({ path }) => readFile(path)));
    expect(saved.gzipped).toBe(contents.reduce((sum, data) => sum + gzipSync(data).byteLength, 0));
    expect(gunzipSync(gzipSync(contents[0]!)).equals(contents[0]!)).toBe(true);
  });

  it("writes TensorFlow.js' own format", async () => {
    await saveModel(model, join(home, 'm'));
    const json = await read(join(home, 'm/model.json'));
    expect(json).toMatchObject({
      format: 'layers-model',
      generatedBy: expect.stringContaining('TensorFlow.js'),
    });
    expect(json.modelTopology.class_name).toBe('Sequential');
    expect(json.weightsManifest).toHaveLength(1);
    expect(json.weightsManifest[0].paths).toEqual(['weights.bin']);
    expect(json.weightsManifest[0].weights[0]).toMatchObject({
      name: 'c1/kernel',
      shape: [3, 3, 1, 2],
      dtype: 'float32',
    });
    expect(json).not.toHaveProperty('trainingConfig');
    expect(json).not.toHaveProperty('userDefinedMetadata');
  });

  it('keeps the metadata that a model carries, without changing the model', async () => {
    model.setUserDefinedMetadata({ who: 'us', step: 1 });
    await saveModel(model, join(home, 'm'), { metadata: { step: 2 } });
    expect((await loadModel(join(home, 'm'))).getUserDefinedMetadata()).toEqual({ who: 'us', step: 2 });
    expect(model.getUserDefinedMetadata()).toEqual({ who: 'us', step: 1 });
  });

  it("keeps the optimizer's state when asked to", async () => {
    model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
    const [x, y] = [
      tf.randomUniform([4, 6, 6, 1]),
      tf.tensor2d([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0], [4, 3]),
    ];
    await model.fit(x, y, { epochs: 2, verbose: 0 });
    await saveModel(model, join(home, 'm'), { optimizer: true });
    const loaded = await loadModel(join(home, 'm'));
    const further = [model, loaded].map(async (m) => (await m.trainOnBatch(x, y)) as number);
    const [a, b] = await Promise.all(further);
    expect(b).toBeCloseTo(a!, 6);
    const states = await Promise.all([model, loaded].map((m) => m.optimizer.getWeights()));
    expect(states[1]!.length).toBe(states[0]!.length);
    states[0]!.forEach(({ tensor }, i) => {
      const other = states[1]![i]!.tensor.dataSync();
      tensor.dataSync().forEach((v: number, k: number) => {
        expect(other[k]).toBeCloseTo(v, 5);
      });
    });
    tf.dispose([x, y]);
  });

  it('replaces an older model and leaves other files alone', async () => {
    await saveModel(model, join(home, 'm'));
    await writeFile(join(home, 'm/record.json'), '{}');
    const other = sequential({ layers: [layers.dense({ units: 1, inputShape: [2] })] });
    await saveModel(other, join(home, 'm'));
    expect((await readdir(join(home, 'm'))).sort()).toEqual(['model.json', 'record.json', 'weights.bin']);
    expect(weightsOf(await loadModel(join(home, 'm')))).toEqual(weightsOf(other));
    expect(await readdir(home)).toEqual(['m']);
  });

  // Node's own recursive mkdir would never return
  it.skipIf(process.platform !== 'linux')(
    'says that no folder can be made in a virtual file system',
    async () => {
      await expect(saveModel(model, '/proc/nowhere/model')).rejects.toThrow(
        /can't be saved in \/proc\/nowhere\/model/,
      );
    },
  );

  it('leaves the older model and nothing else when the disk is full', async () => {
    await saveModel(model, join(home, 'm'));
    const before = await readFile(join(home, 'm/model.json'), 'utf8');
    disk.full = true;
    await expect(saveModel(model, join(home, 'm'))).rejects.toThrow(
      `[engine] the model can't be saved in ${join(home, 'm')}: the disk is full; free some space under ${home}`,
    );
    await expect(saveModel(model, join(home, 'new'))).rejects.toThrow('the disk is full');
    expect(await readdir(home)).toEqual(['m']);
    expect(await readFile(join(home, 'm/model.json'), 'utf8')).toBe(before);
  });

  it('says that a file stands in the way', async () => {
    await writeFile(join(home, 'file'), '');
    const advice = 'a file stands where a folder is needed; choose another folder';
    await expect(saveModel(model, join(home, 'file/m'))).rejects.toThrow(advice);
    await expect(saveModel(model, join(home, 'file'))).rejects.toThrow(advice);
    expect(await readdir(home)).toEqual(['file']);
  });

  it('leaks no tensors, nor does loadModel', async () => {
    const before = tf.memory().numTensors;
    await saveModel(model, join(home, 'm'));
    (await loadModel(join(home, 'm'))).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** The parts of model.json that the tests spoil. */
interface Description {
  format?: string | undefined;
  modelTopology: { node?: []; config?: { layers: { class_name: string }[] } };
  weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
}

describe('loadModel', () => {
  /** Saves the model, lets `change` edit its description, which has no checksum, and returns the path of model.json. */
  async function changed(change: (json: Description) => unknown): Promise<string> {
    await saveModel(model, join(home, 'm'));
    const path = join(home, 'm/model.json');
    const json = await read(path);
    delete json.weightsManifest[0].sha256;
    await writeFile(path, JSON.stringify(change(json) ?? json));
    return path;
  }

  it('reads several shards and groups, from a folder or a file', async () => {
    const path = await changed(({ weightsManifest }) => {
      const { weights } = weightsManifest[0]!;
      weightsManifest.splice(
        0,
        1,
        { paths: ['sub/a.bin', 'b.bin'], weights: weights.slice(0, 2) },
        { paths: ['c.bin'], weights: weights.slice(2) },
      );
    });
    const data = await readFile(join(home, 'm/weights.bin'));
    await rm(join(home, 'm/weights.bin'));
    await mkdir(join(home, 'm/sub'));
    // The first group is the convolution: 18 + 2 numbers. A shard may end inside a number.
    await writeFile(join(home, 'm/sub/a.bin'), data.subarray(0, 13));
    await writeFile(join(home, 'm/b.bin'), data.subarray(13, 80));
    await writeFile(join(home, 'm/c.bin'), data.subarray(80));
    for (const where of [path, join(home, 'm')]) {
      expect(weightsOf(await loadModel(where))).toEqual(weightsOf(model));
    }
  });

  it('reads weights as they were saved, past constraints that training never applied', async () => {
    const kernelConstraint = constraints.nonNeg();
    const held = sequential({ layers: [layers.dense({ inputShape: [3], units: 4, kernelConstraint })] });
    held.compile({ optimizer: tf.train.sgd(1), loss: 'meanSquaredError' });
    const [x, y] = [tf.ones([2, 3]), tf.fill([2, 4], -5)];
    await held.fit(x, y, { verbose: 0 });
    expect(Math.min(...weightsOf(held)[0]!)).toBeLessThan(0);
    await saveModel(held, join(home, 'held'));
    const loaded = await loadModel(join(home, 'held'));
    expect(weightsOf(loaded)).toEqual(weightsOf(held));
    expect(loaded.layers.at(-1)!.getConfig().kernelConstraint).toMatchObject({ className: 'NonNeg' });
    tf.dispose([x, y]);
    for (const one of [held, loaded]) one.dispose();
  });

  it('reads quantized weights', async () => {
    const path = await changed(({ weightsManifest }) => {
      for (const weight of weightsManifest[0]!.weights)
        weight.quantization = { dtype: 'uint8', min: -1, scale: 0.5 };
    });
    const size = model.countParams();
    await writeFile(join(home, 'm/weights.bin'), new Uint8Array(size).fill(3));
    const [kernel] = weightsOf(await loadModel(path));
    expect(new Set(kernel)).toEqual(new Set([0.5]));
  });

  function branching(): LayersModel {
    const x = input({ shape: [3] });
    const sum = layers.add().apply([x, layers.dense({ units: 3 }).apply(x) as typeof x]) as typeof x;
    return functional({ inputs: x, outputs: sum });
  }

  it('reads branching models', async () => {
    const made = branching();
    await saveModel(made, join(home, 'b'));
    expect(weightsOf(await loadModel(join(home, 'b')))).toEqual(weightsOf(made));
  });

  it('says what is missing', async () => {
    await expect(loadModel(join(home, 'none'))).rejects.toThrow(
      `[engine] there is no model at ${join(home, 'none')}; give a folder or a model.json`,
    );
    await expect(loadModel(home)).rejects.toThrow(
      `[engine] ${join(home, 'model.json')} is missing; check the path`,
    );
    const path = await changed(() => {});
    await rm(join(home, 'm/weights.bin'));
    await expect(loadModel(path)).rejects.toThrow(
      `[engine] ${join(home, 'm/weights.bin')} is missing; it belongs to ${path}`,
    );
  });

  it('names the weights file that is cut short or belongs to another model', async () => {
    const path = await changed(() => {});
    const file = join(home, 'm/weights.bin');
    const data = await readFile(file);
    for (const wrong of [data.subarray(0, 100), Buffer.concat([data, Buffer.alloc(4)])]) {
      await writeFile(file, wrong);
      await expect(loadModel(path)).rejects.toThrow(
        `[engine] ${file}: expected ${data.byteLength} bytes, found ${wrong.byteLength}`,
      );
    }
  });

  it('says that a description is cut short or of something else', async () => {
    const path = await changed(() => {});
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.slice(0, 500));
    await expect(loadModel(path)).rejects.toThrow(/^\[engine\] .*model\.json is not valid JSON .* cut short/);
    for (const other of ['null', '[]', '{"name": "package"}', '{"modelTopology": "Dense"}']) {
      await writeFile(path, other);
      await expect(loadModel(path)).rejects.toThrow('is not a TensorFlow.js model: it has no modelTopology');
    }
  });

  it('notices weights that changed places, and bytes that changed', async () => {
    await saveModel(model, join(home, 'm'));
    const [path, file] = [join(home, 'm/model.json'), join(home, 'm/weights.bin')];
    const text = await readFile(path, 'utf8');
    const json = JSON.parse(text);
    json.weightsManifest[0].weights.reverse();
    await writeFile(path, JSON.stringify(json));
    await expect(loadModel(path)).rejects.toThrow(
      /weights\.bin: the bytes, or what .*model\.json says of them/,
    );
    const data = await readFile(file);
    data[30]! ^= 1;
    await Promise.all([writeFile(path, text), writeFile(file, data)]);
    await expect(loadModel(path)).rejects.toThrow('are not those that were saved');
  });

  it('reads no file without an end', async () => {
    const path = await changed(({ weightsManifest }) => {
      weightsManifest[0]!.paths = [relative(join(home, 'm'), '/dev/zero')];
    });
    await expect(loadModel(path)).rejects.toThrow("/dev/zero can't be read (it is no file)");
    const often = await changed(({ weightsManifest }) => {
      weightsManifest[0]!.paths = new Array(1000).fill('weights.bin');
    });
    await expect(loadModel(often)).rejects.toThrow(/weights\.bin \+ .*weights\.bin \+ 997 more: expected/);
  });

  it('refuses sizes that its weights do not have before it makes them', async () => {
    await saveModel(model, join(home, 'fine'));
    const path = await changed((json) => {
      const last = json.modelTopology.config!.layers.at(-1)! as { config?: object };
      Object.assign(last.config!, { units: 1e6 });
    });
    const all = model.countParams();
    await expect(loadModel(path)).rejects.toThrow(
      `${path} does not describe a model that can be built: layer out has a kernel of [32,1000000], but the files of ` +
        `weights have ${all} numbers in all`,
    );
    // of two at once one is at fault
    const [broken, fine] = await Promise.allSettled([loadModel(path), loadModel(join(home, 'fine'))]);
    expect([broken.status, fine.status]).toEqual(['rejected', 'fulfilled']);
    if (fine.status === 'fulfilled') fine.value.dispose();
  });

  it('names a layer that TensorFlow.js would wait for', async () => {
    await saveModel(branching(), join(home, 'm'));
    const path = join(home, 'm/model.json');
    const json = await read(path);
    json.modelTopology.config.layers.at(-1).inbound_nodes[0][0][1] = 7;
    await writeFile(path, JSON.stringify(json));
    await expect(loadModel(path)).rejects.toThrow(/model\.json does not describe .* reads call 7 of layer/);
  });

  it('names what is wrong in its manifest', async () => {
    for (const [weight, says] of [
      [{ shape: null }, 'weightsManifest.0.weights.0.shape: '],
      [{ shape: [-3, 3] }, 'weightsManifest.0.weights.0.shape.0: '],
      [{ dtype: 'float128' }, 'weight c1/kernel has the type float128'],
    ] as const) {
      const path = await changed(({ weightsManifest }) => {
        Object.assign(weightsManifest[0]!.weights[0]!, weight);
      });
      await expect(loadModel(path)).rejects.toThrow(says);
      await expect(loadModel(path)).rejects.toThrow(path);
    }
  });

  it('refuses a GraphModel, with the way out', async () => {
    const advice = /GraphModel.*LayersModels.*--output_format tfjs_layers_model/;
    await expect(loadModel(await changed((json) => ({ ...json, format: 'graph-model' })))).rejects.toThrow(
      advice,
    );
    await expect(
      loadModel(await changed((json) => ({ ...json, format: undefined, modelTopology: { node: [] } }))),
    ).rejects.toThrow(advice);
  });

  it('names the model whose layers are unknown or whose weights do not fit', async () => {
    const unknown = await changed((json) => {
      json.modelTopology.config!.layers[0]!.class_name = 'Conv2DOfTomorrow';
    });
    await expect(loadModel(unknown)).rejects.toThrow(
      `[engine] ${unknown} does not describe a model that can be built`,
    );
    const renamed = await changed((json) => {
      json.weightsManifest[0]!.weights[0]!.name = 'c9/kernel';
    });
    await expect(loadModel(renamed)).rejects.toThrow('c9/kernel');
  });
});
