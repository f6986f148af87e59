import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useEngine } from './index.ts';
import { fingerprint } from './measure.ts';
import type { Comparison } from './memory.ts';
import { memoryOnDisk } from './memory-on-disk.ts';

const machine = vi.hoisted(() => ({ model: 'a processor', cores: 2 }));
vi.mock('node:os', async (original) => ({
  ...(await original<object>()),
  cpus: () => [{ model: machine.model }],
  availableParallelism: () => machine.cores,
}));

const now = (): Comparison => ({ at: new Date().toISOString(), stepMs: { wasm: 1.5, tensorflow: 4 } });

describe('the memory on disk', () => {
  let cache: string;
  const folder = (): string => join(cache, 'engine-steps');
  const onlyFile = (): string => join(folder(), readdirSync(folder())[0]!);
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'espalier-memory-'));
    vi.stubEnv('ESPALIER_CACHE_DIR', cache);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(cache, { recursive: true });
    Object.assign(machine, { model: 'a processor', cores: 2 });
  });

  it('outlives the process, under its key alone', async () => {
    const comparison = now();
    await memoryOnDisk().keep('lenet', comparison);
    expect(await memoryOnDisk().recall('lenet')).toEqual(comparison);
    expect(await memoryOnDisk().recall('mlp')).toBeUndefined();
    await memoryOnDisk().keep('lenet', { ...comparison, stepMs: { wasm: 2 } });
    expect((await memoryOnDisk().recall('lenet'))?.stepMs).toEqual({ wasm: 2 });
    expect(readdirSync(folder()), 'no half-written file').toHaveLength(1);
    expect(JSON.parse(readFileSync(onlyFile(), 'utf8'))).toMatchObject({
      processor: 'a processor',
      cores: 2,
    });
  });

  it.each([{ model: 'another processor' }, { cores: 8 }])(
    'knows nothing of a machine with %j',
    async (other) => {
      await memoryOnDisk().keep('lenet', now());
      Object.assign(machine, other);
      expect(await memoryOnDisk().recall('lenet')).toBeUndefined();
    },
  );

  const days = (count: number): string => new Date(Date.now() - count * 86_400_000).toISOString();
  it.each([
    ['cut off', '{"at":"20'],
    ['empty', ''],
    ['something else', '[1]'],
    ['without times', JSON.stringify({ at: days(1) })],
    ['with a time that is none', JSON.stringify({ at: days(1), stepMs: { wasm: -1, tensorflow: 2 } })],
    ['without a date', JSON.stringify({ stepMs: { wasm: 1 } })],
    ['31 days old', JSON.stringify({ at: days(31), stepMs: { wasm: 1 } })],
    ['from the future', JSON.stringify({ at: days(-2), stepMs: { wasm: 1 } })],
  ])('takes a file that is %s for none', async (_, contents) => {
    await memoryOnDisk().keep('lenet', now());
    writeFileSync(onlyFile(), contents);
    expect(await memoryOnDisk().recall('lenet')).toBeUndefined();
    await memoryOnDisk().keep('lenet', now());
    expect(await memoryOnDisk().recall('lenet')).toBeDefined();
  });

  it('does without a folder that can not be used', async () => {
    for (const place of ['/proc/nowhere', join(cache, 'a file')]) {
      vi.stubEnv('ESPALIER_CACHE_DIR', place);
      writeFileSync(join(cache, 'a file'), '');
      const memory = memoryOnDisk();
      await memory.keep('lenet', now());
      expect(await memory.recall('lenet')).toBeDefined();
      expect(await memoryOnDisk().recall('lenet')).toBeUndefined();
    }
  });

  it('leaves nothing half-written where its file can not be replaced', async () => {
    await memoryOnDisk().keep('lenet', now());
    const file = onlyFile();
    rmSync(file);
    mkdirSync(join(file, 'in the way'), { recursive: true });
    await memoryOnDisk().keep('lenet', now());
    expect(readdirSync(folder())).toHaveLength(1);
  });
});

describe('the fingerprint of a model', () => {
  const of = (kernelSize: number, filters = 2): string =>
    fingerprint(
      sequential({
        layers: [
          layers.conv2d({ inputShape: [8, 8, 1], filters, kernelSize, padding: 'same' }),
          layers.flatten(),
        ],
      }),
    );

  it('is that of its shape, not of its names or weights', async () => {
    await useEngine('cpu');
    expect(of(3)).toBe(of(3));
    expect(of(3)).not.toBe(of(5));
    expect(of(3)).not.toBe(of(3, 4));
    expect(fingerprint(undefined)).not.toBe(of(3));
  });
});
