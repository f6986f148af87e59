import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { importNative, nativeFolder } from './native.ts';

describe('the cached native binding', () => {
  let folder: string;
  const put = (name: string, main: string): void => {
    const path = join(folder, 'node_modules', '@tensorflow', name);
    mkdirSync(path, { recursive: true });
    writeFileSync(
      join(path, 'package.json'),
      JSON.stringify({ name: `@tensorflow/${name}`, main: 'main.js' }),
    );
    writeFileSync(join(path, 'main.js'), main);
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'espalier-native-'));
    vi.stubEnv('ESPALIER_NATIVE_DIR', folder);
    for (const name of ['tfjs-core', 'tfjs-layers', 'tfjs-backend-cpu']) put(name, 'exports.copy = true;');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
    if (tf.findBackendFactory('tensorflow')) tf.removeBackend('tensorflow');
  });

  it('is missing where there is none', async () => {
    await expect(importNative()).rejects.toThrow('is not installed; to use it: npm install');
  });

  it("uses the program's own packages in place of its copies", async () => {
    put(
      'tfjs-node',
      `const names = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', '@tensorflow/tfjs-backend-cpu'];
       exports.used = names.map((name) => require(name));
       exports.used[0].registerBackend('tensorflow', () => null);
       exports.version = { 'tfjs-node': '4.22.7' };`,
    );
    expect(await importNative()).toBe('4.22.7');
    const own = createRequire(import.meta.url);
    const cached = createRequire(join(folder, 'package.json'));
    const { used } = cached('@tensorflow/tfjs-node') as { readonly used: object[] };
    expect(used[0]).toBe(own('@tensorflow/tfjs-core'));
    expect(used[1]).toBe(own('@tensorflow/tfjs-layers'));
    expect(used[2]).toBe(own('@tensorflow/tfjs-backend-cpu'));
  });

  it('says how to mend one that does not load', async () => {
    put('tfjs-node', `throw new Error('libtensorflow.so.2: cannot open shared object file')`);
    await expect(importNative()).rejects.toThrow(/libtensorflow.*cannot open.*try: npm run native/);
  });

  it('lies in the cache unless told otherwise', () => {
    expect(nativeFolder()).toBe(folder);
    vi.stubEnv('ESPALIER_NATIVE_DIR', '');
    vi.stubEnv('ESPALIER_CACHE_DIR', folder);
    expect(nativeFolder()).toBe(join(folder, 'native', `4.22.0-${process.platform}-${process.arch}`));
  });
});
