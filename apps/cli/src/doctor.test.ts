import { join } from 'node:path';
import { saveModel, useEngine } from '@espalier/engine';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run, temporaryFolder } from './testing/run.ts';

const native = '@tensorflow/tfjs-node';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  vi.stubEnv('ESPALIER_CACHE_DIR', join(folder.path, 'cache'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await folder.remove();
});

async function savedModel(): Promise<string> {
  await useEngine('cpu');
  const model = sequential({ layers: [layers.dense({ units: 2, inputShape: [3], activation: 'softmax' })] });
  const path = join(folder.path, 'model');
  await saveModel(model, path);
  model.dispose();
  return path;
}

describe('doctor, where wasm is alone', () => {
  it('says why the native engine is not taken, and that there was nothing to compare', async () => {
    const { code, out } = await run('doctor');
    expect(code).toBe(0);
    expect(out).toMatch(/engine tensorflow +.*is not installed.*npm install/);
    expect(out).toMatch(/engine wasm +works, taken by auto/);
    expect(out).toMatch(/engine cpu +works, but slow: taken where nothing else works/);
    expect(out).toMatch(/compared +no: nothing else here is as fast as wasm/);
  });

  it('says what is wrong with a model', async () => {
    const { code, err } = await run('doctor --model /nowhere');
    expect([code, err]).toEqual([1, expect.stringContaining('there is no model at /nowhere')]);
  });
});

describe('doctor, where the native engine works', () => {
  beforeEach(async () => {
    await useEngine('cpu');
    vi.doMock(native, () => {
      tf.copyRegisteredKernels('cpu', 'tensorflow');
      tf.registerBackend('tensorflow', () => tf.findBackend('cpu'));
      return { version: { 'tfjs-node': '4.22.0' } };
    });
  });
  afterEach(() => {
    vi.doUnmock(native);
    if (tf.findBackendFactory('tensorflow')) tf.removeBackend('tensorflow');
    for (const { kernelName } of tf.getKernelsForBackend('tensorflow')) {
      tf.unregisterKernel(kernelName, 'tensorflow');
    }
  });

  it('shows the time of a step on each, which was taken, and whether that was remembered', async () => {
    const { out } = await run('doctor');
    expect(out).toMatch(/engine tensorflow +works, [\d.]+ m?s for a training step, slower than wasm/);
    expect(out).toMatch(/engine wasm +works, [\d.]+ m?s for a training step, taken by auto/);
    expect(out).toMatch(/compared +by training steps of a small network .*, now/);
    expect((await run('doctor')).out).toMatch(/compared +.*, from the cache of \d{4}-\d\d-\d\d/);
  });

  it('measures the model that it is given, and leaves no tensor of it', async () => {
    const model = await savedModel();
    const before = tf.memory().numTensors;
    const first = (await run(['doctor', '--model', model, '--json'])).json;
    expect(first.comparison).toMatchObject({ model, cached: false });
    const again = (await run(['doctor', '--model', model, '--json'])).json;
    expect(again.comparison).toMatchObject({ model, cached: true });
    expect(again.engines).toEqual(first.engines);
    expect(tf.memory().numTensors).toBe(before);
  });
});
