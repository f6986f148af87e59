import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { cacheFolder } from './cache-folder.ts';

// In a variable, so that neither a compiler nor a bundler looks for a package that is no dependency of ours.
const nativePackage = '@tensorflow/tfjs-node';

/** The version that `npm run native` installs: that of all TensorFlow.js packages here. */
export const NATIVE_VERSION = '4.22.0';

/** Those that the binding must have in common with the program: two copies would not know each other's parts. */
const shared = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', '@tensorflow/tfjs-backend-cpu'];

/**
 * The folder in whose node_modules `npm run native` keeps the binding: the environment variable
 * ESPALIER_NATIVE_DIR, else one in the cache.
 */
export function nativeFolder(): string {
  if (process.env.ESPALIER_NATIVE_DIR) return process.env.ESPALIER_NATIVE_DIR;
  return join(cacheFolder(), 'native', `${NATIVE_VERSION}-${process.platform}-${process.arch}`);
}

/** Loads the native binding, the program's own or else the cached one, and returns its version. */
export async function importNative(): Promise<string> {
  const native =
    (await importOwn().catch(broken(`npm rebuild ${nativePackage} --build-addon-from-source`))) ??
    (await requireCached().catch(broken('npm run native')));
  if (!native) throw new Error(`${nativePackage} is not installed; to use it: npm install ${nativePackage}`);
  if (!tf.findBackendFactory('tensorflow')) {
    throw new Error(`${nativePackage} uses a tfjs-core of its own; make it share one: npm dedupe`);
  }
  return native.version?.['tfjs-node'] ?? 'unknown';
}

interface Native {
  readonly version?: Record<string, string>;
}

async function importOwn(): Promise<Native | undefined> {
  try {
    return await import(nativePackage);
  } catch (error) {
    const message = firstLine(error);
    const missing = /cannot find (package|module)|failed to (load|resolve)/i.test(message);
    if (missing && message.includes(nativePackage)) return undefined;
    throw error;
  }
}

/** The binding in the cache, made to use the program's own TensorFlow.js packages in place of its copies. */
async function requireCached(): Promise<Native | undefined> {
  const own = createRequire(import.meta.url);
  const cached = createRequire(resolve(nativeFolder(), 'node_modules', nativePackage, 'package.json'));
  try {
    cached.resolve(nativePackage);
  } catch {
    return undefined;
  }
  for (const name of shared) {
    own(name);
    cached.cache[cached.resolve(name)] = own.cache[own.resolve(name)];
  }
  return cached(nativePackage) as Native;
}

const broken =
  (remedy: string) =>
  (error: unknown): never => {
    throw new Error(`${nativePackage} is installed but does not load (${firstLine(error)}); try: ${remedy}`);
  };

const firstLine = (error: unknown): string =>
  String(error instanceof Error ? error.message : error)
    .split('\n', 1)[0]!
    .trim();
