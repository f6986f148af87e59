import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type DatasetName, DatasetUnavailableError, datasets, loadDataset } from './index.ts';

let folder: string;
const nowhere = (): { dir: string; cacheDir: string; download: false } => ({
  dir: join(folder, 'dir'),
  cacheDir: join(folder, 'cache'),
  download: false,
});

beforeAll(async () => {
  vi.stubEnv('ESPALIER_DATA_DIR', '');
  folder = await mkdtemp(join(tmpdir(), 'espalier-datasets-'));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe('loadDataset', () => {
  it('loads by name', async () => {
    const data = await loadDataset('glyphs', { of: 'letters', rows: 100, seed: 3 });
    expect([data.name, data.classes.length, data.train.rows]).toEqual(['glyphs', 26, 70]);
  });

  it('names what it knows when it is asked for something else', async () => {
    await expect(loadDataset('cifar' as DatasetName)).rejects.toThrow(
      "[datasets] unknown dataset 'cifar'. Use one of: mnist, letters, glyphs, csv",
    );
    await expect(loadDataset('letters', { validation: 3 } as object)).rejects.toThrow(
      "[datasets] unknown option of letters 'validation'. Use one of: split, seed, limit, dir, cacheDir, download",
    );
    await expect(loadDataset('csv')).rejects.toThrow('[datasets] csv needs the path of a file');
  });

  it.each(['mnist', 'letters'] as const)('says that %s is not to be had', async (name) => {
    await expect(loadDataset(name, nowhere())).rejects.toBeInstanceOf(DatasetUnavailableError);
  });

  it.each(['mnist', 'letters'] as const)('lets glyphs stand in for %s, and says so', async (name) => {
    const data = await loadDataset(name, { ...nowhere(), fallback: 'glyphs', limit: 20 });
    expect(data.name).toBe('glyphs');
    expect(data.note).toContain(`standing in for ${name}, which is not to be had`);
    expect(data.classes).toHaveLength(datasets[name].classes!);
    expect(data.inputShape).toEqual(datasets[name].inputShape);
    expect(data.train.rows).toBe(20);
  });

  it('lets nothing stand in for a damaged file', async () => {
    await mkdir(join(folder, 'dir/letter-recognition'), { recursive: true });
    await writeFile(join(folder, 'dir/letter-recognition/letter-recognition.data'), 'T,1,2');
    await expect(loadDataset('letters', { ...nowhere(), fallback: 'glyphs' })).rejects.toThrow(
      'is not the original',
    );
  });
});

describe('datasets', () => {
  it('tells for each file where it is published and what it must hold', () => {
    const files = Object.values(datasets).flatMap((entry) => entry.files);
    expect(files).toHaveLength(5);
    for (const { urls, sha256, bytes, path } of files) {
      expect(urls.every((url) => url.startsWith('https://') && url.endsWith(path.split('/')[1]!))).toBe(true);
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(bytes).toBeGreaterThan(0);
    }
  });
});
