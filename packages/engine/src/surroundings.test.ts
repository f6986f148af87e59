import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// Below this package, so that what the bundle imports is found.
const folder = fileURLToPath(new URL('../node_modules/.surroundings-test/', import.meta.url));
const file = `${folder}worker.mjs`;

/** A program of its own: spoils its surroundings, takes an engine, trains a few steps. */
const program = `
  import { parentPort, workerData } from 'node:worker_threads';
  import * as tf from '@tensorflow/tfjs-core';
  import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
  import { layers, sequential } from '@tensorflow/tfjs-layers';
  import { useEngine } from '../src/index.ts';

  const warnings = [];
  console.warn = (...words) => warnings.push(words.join(' '));
  if (workerData === 'no SIMD') tf.env().set('WASM_HAS_SIMD_SUPPORT', false);
  if (workerData === 'no WebAssembly') globalThis.WebAssembly = undefined;
  if (workerData === 'another backend') delete BackendWasm.prototype.refCount;
  const { instantiate } = globalThis.WebAssembly ?? {};
  let binary = 0;
  if (instantiate) WebAssembly.instantiate = (bytes, imports) => {
    binary = Math.max(binary, bytes.byteLength ?? 0);
    return instantiate(bytes, imports);
  };
  process.env.ESPALIER_NATIVE_DIR = '/nowhere';

  const { name, candidates } = await useEngine();
  const init = (seed) => ({ kernelInitializer: { className: 'RandomNormal', config: { stddev: 0.3, seed } } });
  const model = sequential({ layers: [
    layers.conv2d({ inputShape: [8, 8, 1], filters: 3, kernelSize: 3, activation: 'relu', ...init(1) }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dropout({ rate: 0.2, seed: 5 }),
    layers.dense({ units: 2, activation: 'softmax', ...init(2) }),
  ] });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy' });
  let trained;
  try {
    const x = tf.tensor(Float32Array.from({ length: 8 * 64 }, (_, i) => Math.sin(i * 12.9898)), [8, 8, 8, 1]);
    const y = tf.oneHot(tf.tensor1d([0, 1, 0, 1, 1, 0, 0, 1], 'int32'), 2);
    const { history } = await model.fit(x, y, { epochs: 10, batchSize: 4, shuffle: false, verbose: 0 });
    trained = { loss: history.loss, weights: model.getWeights().map((w) => w.dataSync()) };
  } catch (error) {
    trained = { error: String(error) };
  }
  parentPort.postMessage({ name, candidates, warnings, binary, ...trained });
`;

interface Answer {
  readonly name: string;
  readonly candidates: readonly { name: string; available: boolean; reason?: string }[];
  readonly warnings: readonly string[];
  /** Why it can't train. */
  readonly error?: string;
  readonly loss: readonly number[];
  readonly weights: readonly Float32Array[];
  /** The size of the wasm file in use. */
  readonly binary: number;
}

const run = (surroundings: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(file, { workerData: surroundings });
    worker.once('message', (answer: Answer) => {
      worker.terminate();
      resolve(answer);
    });
    worker.once('error', reject);
  });

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  const { outputFiles } = await build({
    stdin: {
      contents: program.replaceAll('../src/', './'),
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
  });
  writeFileSync(file, outputFiles[0]!.text);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('worker threads', () => {
  it('train at the same time, and the same seeds give the same weights to the bit', async () => {
    const [one, other] = await Promise.all([run('a worker'), run('a worker')]);
    expect(one.name).toBe('wasm');
    expect(one.loss.at(-1)! / one.loss[0]!).toBeLessThan(0.8);
    expect(other.weights).toEqual(one.weights);
    expect(other.loss).toEqual(one.loss);
  });
});

describe('in bad surroundings', () => {
  it('without SIMD, wasm trains as well', async () => {
    const [plain, simd] = [await run('no SIMD'), await run('a worker')];
    expect(plain.name).toBe('wasm');
    plain.loss.forEach((loss, i) => {
      expect(Math.abs(loss / simd.loss[i]! - 1)).toBeLessThan(1e-4);
    });
    expect(plain.binary).toBeLessThan(simd.binary);
  });

  it('without WebAssembly, cpu is taken, and the reason is kept', async () => {
    const { name, candidates, loss } = await run('no WebAssembly');
    expect(name).toBe('cpu');
    expect(candidates.map(({ available }) => available)).toEqual([false, false, true]);
    expect(candidates[1]!.reason).toContain('there is no WebAssembly here');
    expect(loss.at(-1)! / loss[0]!).toBeLessThan(0.8);
  });

  it('with a wasm backend that has other parts, nothing of it is replaced, with a warning', async () => {
    const { name, warnings, error } = await run('another backend');
    expect(name).toBe('wasm');
    expect(warnings).toEqual([expect.stringMatching(/has no refCount; it stays as it is/)]);
    expect(error).toMatch(/Conv2DBackpropFilter/);
  });
});
