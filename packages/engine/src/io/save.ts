import { randomUUID } from 'node:crypto';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { makeFolder } from './folder.ts';
import { reasonOf } from './reason.ts';

/** Options of `saveModel`. */
export interface SaveModelArgs {
  /** Kept in `model.json` under `userDefinedMetadata`, over what the model carries already. JSON only. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Whether to save the optimizer with its state too, to train on later. Default false. */
  readonly optimizer?: boolean;
}

/** What `saveModel` wrote. */
export interface SavedModel {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** The size of all files together, in bytes. */
  readonly bytes: number;
  /** The same after gzip, in bytes: what a web server sends. */
  readonly gzipped: number;
}

/**
 * Writes a model into a folder, as `model.json` and `weights.bin` in TensorFlow.js' own format, which
 * `loadModel`, `tf.loadLayersModel` and the browser can read. Works on every engine.
 *
 * The files are written under a temporary name beside the folder and renamed at the end, so that a failure
 * leaves what was there before. Missing parent folders are made.
 *
 * @throws Error when the folder can't be written (with the reason and what to do), or the metadata isn't JSON.
 */
export async function saveModel(
  model: LayersModel,
  dir: string,
  { metadata, optimizer = false }: SaveModelArgs = {},
): Promise<SavedModel> {
  const contents = await encode(model, metadata, optimizer);
  const target = resolve(dir);
  const temporary = `${target}.partial-${randomUUID().slice(0, 8)}`;
  try {
    await makeFolder(temporary);
    for (const [name, data] of contents) await writeFile(join(temporary, name), data);
    if (await isMissing(target)) {
      await rename(temporary, target);
    } else {
      // The topology last: until it is there, a reader sees the old model or a wrong byte count.
      for (const [name] of contents) await rename(join(temporary, name), join(target, name));
    }
  } catch (error) {
    throw new Error(`[engine] the model can't be saved in ${target}: ${reasonOf(error, dirname(target))}`, {
      cause: error,
    });
  } finally {
    // What made the save fail may make this fail too, and is what the user has to hear of.
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
  }
  const files = contents.map(([name, data]) => ({ path: join(target, name), bytes: data.byteLength }));
  const sum = (numbers: number[]): number => numbers.reduce((total, n) => total + n, 0);
  return {
    files,
    bytes: sum(files.map(({ bytes }) => bytes)),
    gzipped: sum(contents.map(([, data]) => gzipSync(data).byteLength)),
  };
}

async function encode(
  model: LayersModel,
  metadata: SaveModelArgs['metadata'],
  includeOptimizer: boolean,
): Promise<[string, Uint8Array][]> {
  const contents: [string, Uint8Array][] = [];
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    const { modelTopology, format, generatedBy, convertedBy, trainingConfig, weightSpecs } = artifacts;
    const userDefinedMetadata = { ...artifacts.userDefinedMetadata, ...metadata };
    const weights = tf.io.concatenateArrayBuffers([artifacts.weightData ?? []].flat());
    const json = JSON.stringify({
      modelTopology,
      format,
      generatedBy,
      convertedBy: convertedBy ?? null,
      trainingConfig,
      userDefinedMetadata: Object.keys(userDefinedMetadata).length > 0 ? userDefinedMetadata : undefined,
      weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs ?? [] }],
    });
    contents.push(['weights.bin', new Uint8Array(weights)], ['model.json', new TextEncoder().encode(json)]);
    return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
  });
  await model.save(handler, { includeOptimizer });
  return contents;
}

async function isMissing(path: string): Promise<boolean> {
  try {
    await stat(path);
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}
