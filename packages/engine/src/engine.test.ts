import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findEngines, useEngine } from './index.ts';

const native = '@tensorflow/tfjs-node';

describe('useEngine', () => {
  it('takes the engine asked for, again and again', async () => {
    for (const name of ['wasm', 'cpu', 'wasm', 'wasm'] as const) {
      const report = await useEngine(name);
      expect(report).toEqual({ name, version: '4.22.0', candidates: [{ name, available: true }] });
      expect(tf.getBackend()).toBe(name);
      expect(tf.tidy(() => tf.square(tf.tensor1d([3])).dataSync()[0])).toBe(9);
    }
  });

  it('takes wasm by itself where the native binding is missing, and says why', async () => {
    const report = await useEngine();
    expect(report.name).toBe('wasm');
    expect(tf.getBackend()).toBe('wasm');
    expect(report.candidates).toEqual([
      { name: 'tensorflow', available: false, reason: expect.stringContaining(`npm install ${native}`) },
      { name: 'wasm', available: true },
      { name: 'cpu', available: true },
    ]);
  });

  it('refuses an engine that is not there, saying what to do', async () => {
    await expect(useEngine('tensorflow')).rejects.toThrow(
      /^\[engine\] tensorflow can't be used.*npm install/,
    );
    await expect(useEngine('webgl' as 'cpu')).rejects.toThrow(/webgl can't be used here.*runs in a browser/);
    await expect(useEngine('gpu' as 'cpu')).rejects.toThrow(
      '[engine] there is no engine called gpu; use auto, tensorflow, wasm, cpu',
    );
  });

  it('serves overlapping calls in turn', async () => {
    const reports = await Promise.all([useEngine('wasm'), useEngine('cpu'), useEngine(), useEngine('cpu')]);
    expect(reports.map(({ name }) => name)).toEqual(['wasm', 'cpu', 'wasm', 'cpu']);
    expect(tf.getBackend()).toBe('cpu');
  });

  it('registers its kernels once', async () => {
    await useEngine('wasm');
    const kernels = tf.getKernelsForBackend('wasm').map(({ kernelFunc }) => kernelFunc);
    await useEngine('wasm');
    expect(tf.getKernelsForBackend('wasm').map(({ kernelFunc }) => kernelFunc)).toEqual(kernels);
  });

  it('gives tensors their operations as methods', async () => {
    await useEngine('wasm');
    type Chained = tf.Tensor & Record<string, (...args: unknown[]) => Chained>;
    const x = tf.tensor2d([[1, 2], [3, 4]]) as unknown as Chained; // biome-ignore format: a matrix
    tf.tidy(() => {
      expect(x.square!().sum!().dataSync()[0]).toBe(30);
      expect(x.concat!(x, 1).shape).toEqual([2, 4]);
      expect(x.stack!([x]).shape).toEqual([2, 2, 2]);
      expect(x.where!(tf.greater(x, 2), tf.zerosLike(x)).arraySync()).toEqual([[0, 0], [3, 4]]); // biome-ignore format: a matrix
      expect(x.toInt!().dtype).toBe('int32');
    });
    x.dispose();
    expect(() => x.square!()).toThrow('disposed');
  });
});

describe('findEngines', () => {
  it('looks at all engines and leaves the current one in use', async () => {
    await useEngine('cpu');
    const engines = await findEngines();
    expect(engines.map(({ name, available }) => [name, available])).toEqual([
      ['tensorflow', false],
      ['wasm', true],
      ['cpu', true],
    ]);
    expect(tf.getBackend()).toBe('cpu');
  });
});

describe('the native binding', () => {
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'espalier-engine-'));
    vi.stubEnv('ESPALIER_CACHE_DIR', cache);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(cache, { recursive: true });
    vi.doUnmock(native);
    if (tf.findBackendFactory('tensorflow')) tf.removeBackend('tensorflow');
    for (const { kernelName } of tf.getKernelsForBackend('tensorflow')) {
      tf.unregisterKernel(kernelName, 'tensorflow');
    }
  });

  it('is compared with wasm when it works, and the faster is taken', async () => {
    await useEngine('cpu');
    vi.doMock(native, () => {
      tf.copyRegisteredKernels('cpu', 'tensorflow');
      tf.registerBackend('tensorflow', () => tf.findBackend('cpu'));
      tf.setBackend('tensorflow'); // as the real one does when it is imported
      return { version: { 'tfjs-node': '4.22.9' } };
    });
    const before = { ...tf.memory() };
    const report = await useEngine();
    expect(report.candidates.map(({ available }) => available)).toEqual([true, true, true]);
    const [binding, wasm, cpu] = report.candidates.map(({ stepMs }) => stepMs);
    expect(binding! / wasm!).toBeGreaterThan(1); // plain JavaScript under the native binding's name
    expect(cpu).toBeUndefined();
    expect(report.name).toBe('wasm');
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(report.comparison).toEqual({ at: expect.stringMatching(/^\d{4}-.*Z$/), cached: false });
    const again = await useEngine();
    expect(again.candidates).toEqual(report.candidates);
    expect(again.comparison).toEqual({ at: report.comparison!.at, cached: true });
    expect(readdirSync(join(cache, 'engine-steps'))).toHaveLength(1);
    await expect(useEngine('tensorflow')).resolves.toMatchObject({ version: '4.22.9' });
  });

  it('is passed over when it starts but can not train the model', async () => {
    await useEngine('cpu');
    vi.doMock(native, () => {
      tf.copyRegisteredKernels('cpu', 'tensorflow');
      tf.unregisterKernel('Conv2DBackpropFilter', 'tensorflow');
      tf.registerBackend('tensorflow', () => tf.findBackend('cpu'));
      return { version: {} };
    });
    const model = sequential({
      layers: [
        layers.conv2d({ inputShape: [null, 6, 1], filters: 2, kernelSize: 3 }),
        layers.globalMaxPooling2d({}),
      ],
    });
    const before = model.getWeights().map((w) => Array.from(w.dataSync()));
    const { name, candidates } = await useEngine('auto', { model });
    expect(name).toBe('wasm');
    expect(candidates[0]).toMatchObject({
      available: false,
      reason: expect.stringContaining('Conv2DBackpropFilter'),
    });
    expect(candidates[1]!.stepMs).toBeGreaterThan(0);
    expect(readdirSync(cache), 'a failure may be mended: not remembered').toEqual([]);
    expect(model.getWeights().map((w) => Array.from(w.dataSync()))).toEqual(before);
    model.dispose();
  });

  it('is preferred for a model that can be tried on no engine', async () => {
    await useEngine('cpu');
    vi.doMock(native, () => {
      tf.copyRegisteredKernels('cpu', 'tensorflow');
      tf.registerBackend('tensorflow', () => tf.findBackend('cpu'));
      return { version: {} };
    });
    // not registered for serialization: there can be no copy of it
    class Mine extends layers.Layer {
      static className = 'Mine';
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] {
        return inputs;
      }
    }
    const model = sequential({ layers: [layers.dense({ units: 1, inputShape: [2] }), new Mine({})] });
    const { name, candidates, comparison } = await useEngine('auto', { model });
    expect(name).toBe('tensorflow');
    expect(candidates.map(({ available }) => available)).toEqual([true, true, true]);
    expect(comparison).toMatchObject({
      cached: false,
      failed: expect.stringContaining('Unknown layer: Mine'),
    });
    model.dispose();
  });

  it('does not take over while the engines are only looked at', async () => {
    await useEngine('wasm');
    vi.doMock(native, () => {
      tf.registerBackend('tensorflow', () => tf.findBackend('cpu'));
      tf.setBackend('tensorflow');
      return { version: {} };
    });
    const [first] = await findEngines();
    expect(first).toEqual({ name: 'tensorflow', available: true });
    expect(tf.getBackend()).toBe('wasm');
  });

  it('is passed over when it does not load', async () => {
    vi.doMock(native, () => {
      throw new Error('libtensorflow.so.2: cannot open shared object file');
    });
    const { name, candidates } = await useEngine();
    expect(name).toBe('wasm');
    expect(candidates[0]!.reason).toMatch(/does not load .*npm rebuild/);
  });

  it('is passed over when it brought its own tfjs-core', async () => {
    vi.doMock(native, () => ({ version: {} }));
    const { name, candidates } = await useEngine();
    expect(name).toBe('wasm');
    expect(candidates[0]!.reason).toContain('npm dedupe');
  });

  it('is passed over when it starts but does not work', async () => {
    class Broken extends tf.KernelBackend {
      override write(): never {
        throw new TypeError('isNullOrUndefined is not a function');
      }
      override dispose(): void {}
    }
    vi.doMock(native, () => {
      tf.registerBackend('tensorflow', () => new Broken());
      return { version: {} };
    });
    const { name, candidates } = await useEngine();
    expect(name).toBe('wasm');
    expect(candidates[0]!.reason).toContain('isNullOrUndefined');
  });

  it('is passed over when its backend does not start', async () => {
    vi.doMock(native, () => {
      tf.registerBackend('tensorflow', () => {
        throw new Error('no such instruction');
      });
      return { version: {} };
    });
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { name, candidates } = await useEngine();
    expect(name).toBe('wasm');
    expect(candidates[0]!.reason).toContain('did not start (no such instruction)');
  });
});

describe('the kernels entry', () => {
  it('needs nothing of Node, so that a browser can use it', async () => {
    const { metafile } = await build({
      entryPoints: [fileURLToPath(new URL('./kernels/index.ts', import.meta.url))],
      bundle: true,
      packages: 'external',
      format: 'esm',
      write: false,
      metafile: true,
    });
    const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
    expect(new Set(imports.map(({ path }) => path))).toEqual(
      new Set(['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', '@tensorflow/tfjs-backend-wasm']),
    );
  });
});
