import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type CheckedGroup, checksumOf } from './checksum.ts';
import { readBytes, readDescription, shardsOf } from './description.ts';
import { makeFolder } from './folder.ts';
import { type Quantization, quantizations, quantize } from './quantize.ts';
import { reasonOf } from './reason.ts';

/** How weights are named here, and by tensorflowjs_converter. */
const isShard = /^(weights|group\d+-shard\d+of\d+)\.bin$/;

/** Options of `saveModel`. */
export interface SaveModelArgs {
  /** Kept in `model.json` under `userDefinedMetadata`, over what the model carries already. JSON only. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Whether to save the optimizer with its state too, to train on later. Default false. */
  readonly optimizer?: boolean;
  /** A narrow type to store float32 weights in; every loader of TensorFlow.js widens them. Default: as they are. */
  readonly quantize?: Quantization;
  /** Splits the weights into files of at most so many bytes. Default: one file. */
  readonly shardBytes?: number;
}

/** A file's name or path, and what is in it. */
type Content = readonly [name: string, data: Uint8Array];

/** What `saveModel` wrote. */
export interface SavedModel {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** The size of all files together, in bytes. */
  readonly bytes: number;
  /** The same after gzip, in bytes: what a web server sends. */
  readonly gzipped: number;
}

/**
 * Writes a model into a folder, as `model.json` and `weights.bin` (or several shards) in TensorFlow.js' own format,
 * which `loadModel`, `tf.loadLayersModel` and the browser can read. Works on every engine.
 *
 * The files are written under a temporary name beside the folder and renamed at the end, so that a failure
 * leaves what was there before; weights of a model that is replaced go. Missing parent folders are made.
 *
 * @throws Error when the folder can't be written (with the reason and what to do), the metadata isn't JSON, an option
 * makes no sense, or the weights can't be stored in the narrow type.
 */
export async function saveModel(
  model: LayersModel,
  dir: string,
  args: SaveModelArgs = {},
): Promise<SavedModel> {
  checkArgs(args);
  const contents = await encode(model, args);
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
      const names = contents.map(([name]) => name);
      await removeWeights(target, names);
    }
  } catch (error) {
    throw new Error(`[engine] the model can't be saved in ${target}: ${reasonOf(error, dirname(target))}`, {
      cause: error,
    });
  } finally {
    // What made the save fail may make this fail too, and is what the user has to hear of.
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
  }
  return sizesOf(contents.map(([name, data]) => [join(target, name), data]));
}

/** Removes the weights of a model from its folder, but for those of some names, before another one takes their place. */
export async function removeWeights(dir: string, kept: readonly string[] = []): Promise<void> {
  for (const name of await readdir(dir)) {
    if (isShard.test(name) && !kept.includes(name)) await rm(join(dir, name), { force: true });
  }
}

/**
 * The size of a model as it lies on disk, whoever wrote it. `path` is its folder or its `model.json`.
 *
 * @throws as `loadModel` does, if a file is missing or is no model.
 */
export async function savedModel(path: string): Promise<SavedModel> {
  const { file, json } = await readDescription(path);
  const paths = [
    ...shardsOf(
      file,
      (json.weightsManifest ?? []).flatMap((group) => group.paths),
    ),
    file,
  ];
  const advice = `it belongs to ${file}: copy it beside it, or save the model again`;
  return sizesOf(
    await Promise.all(paths.map(async (one): Promise<Content> => [one, await readBytes(one, advice)])),
  );
}

function sizesOf(contents: readonly Content[]): SavedModel {
  const files = contents.map(([path, data]) => ({ path, bytes: data.byteLength }));
  const sum = (numbers: number[]): number => numbers.reduce((total, n) => total + n, 0);
  return {
    files,
    bytes: sum(files.map(({ bytes }) => bytes)),
    gzipped: sum(contents.map(([, data]) => gzipSync(data).byteLength)),
  };
}

function checkArgs({ optimizer, quantize: type, shardBytes }: SaveModelArgs): void {
  if (type !== undefined && !quantizations.includes(type)) {
    throw new Error(`[engine] quantize must be one of ${quantizations.join(', ')}, got '${type}'`);
  }
  if (type !== undefined && optimizer) {
    throw new Error(
      '[engine] a training goes on from exact weights: save with optimizer: true or with quantize, not both',
    );
  }
  if (shardBytes !== undefined && !(Number.isInteger(shardBytes) && shardBytes > 0)) {
    throw new Error(`[engine] shardBytes must be a whole number of bytes above 0, got ${shardBytes}`);
  }
}

async function encode(
  model: LayersModel,
  { metadata, optimizer = false, quantize: type, shardBytes }: SaveModelArgs,
): Promise<Content[]> {
  const contents: Content[] = [];
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    const { modelTopology, format, generatedBy, convertedBy, trainingConfig, weightSpecs } = artifacts;
    const userDefinedMetadata = { ...artifacts.userDefinedMetadata, ...metadata };
    const whole = {
      specs: weightSpecs ?? [],
      data: new Uint8Array(tf.io.concatenateArrayBuffers([artifacts.weightData ?? []].flat())),
    };
    const { specs, data } = type ? quantize(whole, type) : whole;
    const shards = split(data, shardBytes);
    const group: CheckedGroup = {
      ...{ paths: shards.map(([name]) => name), weights: specs },
      sha256: checksumOf(specs, [data]),
    };
    const json = JSON.stringify({
      modelTopology,
      format,
      generatedBy,
      convertedBy: convertedBy ?? null,
      trainingConfig,
      userDefinedMetadata: Object.keys(userDefinedMetadata).length > 0 ? userDefinedMetadata : undefined,
      weightsManifest: [group],
    });
    contents.push(...shards, ['model.json', new TextEncoder().encode(json)]);
    return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
  });
  await model.save(handler, { includeOptimizer: optimizer });
  return contents;
}

/** One file, or several by the names that tensorflowjs_converter gives them. */
function split(data: Uint8Array, bytes = data.byteLength): Content[] {
  const count = Math.max(1, Math.ceil(data.byteLength / bytes));
  if (count === 1 || data.byteLength === 0) return [['weights.bin', data]];
  return Array.from({ length: count }, (_, i) => [
    `group1-shard${i + 1}of${count}.bin`,
    data.subarray(i * bytes, (i + 1) * bytes),
  ]);
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
