import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { buildWithin } from './build-within.ts';
import { type CheckedGroup, checksumOf } from './checksum.ts';
import { readBytes, readDescription, shardsOf, sizeOf } from './description.ts';
import { wiringFault } from './wiring.ts';

/**
 * Reads a model saved by `saveModel`, by `model.save('file://...')`, or by `tensorflowjs_converter
 * --output_format tfjs_layers_model`: any number of weight groups and shards. Works on every engine.
 *
 * @param path The folder of the model, or its `model.json`.
 * @throws Error naming the file at fault and what to do: missing, not JSON, cut short, or not a LayersModel.
 */
export async function loadModel(path: string): Promise<LayersModel> {
  const { file, json } = await readDescription(path);
  const artifacts = tf.io.getModelArtifactsForJSONSync(json, ...(await readWeights(file, json)));
  try {
    const fault = wiringFault(json.modelTopology);
    if (fault !== undefined) throw new Error(fault);
    const model = await buildWithin(artifacts);
    restoreConstrained(model, artifacts);
    return model;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`[engine] ${file} does not describe a model that can be built: ${message}`, {
      cause: error,
    });
  }
}

const MOST_NAMED = 3;
const named = (files: readonly string[]): string =>
  files.slice(0, MOST_NAMED).join(' + ') +
  (files.length > MOST_NAMED ? ` + ${files.length - MOST_NAMED} more` : '');

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** What a variable has no public way to. */
interface Constrained {
  readonly constraint: object | null;
}

/**
 * Gives the weights that are held to a constraint their saved values again: TensorFlow.js applies constraints when it
 * loads, never in training, so that a model would compute something else than the one that was saved.
 */
function restoreConstrained(model: LayersModel, { weightData, weightSpecs }: tf.io.ModelArtifacts): void {
  const held = model.weights.filter((weight) => (weight as unknown as Constrained).constraint);
  if (held.length === 0) return;
  const saved = tf.io.decodeWeights(weightData!, weightSpecs!);
  for (const weight of held) (weight.read() as tf.Variable).assign(saved[weight.originalName]!);
  tf.dispose(saved);
}

async function readWeights(
  file: string,
  { weightsManifest = [] }: Partial<tf.io.ModelJSON>,
): Promise<[tf.io.WeightsManifestEntry[], ArrayBuffer]> {
  const chunks: Uint8Array[] = [];
  for (const { paths, weights, sha256 } of weightsManifest as readonly CheckedGroup[]) {
    const shards = shardsOf(file, paths);
    const advice = `it belongs to ${file}: copy it beside it, or save the model again`;
    // nothing is read that is of another size: it could be without an end
    const found = sum(await Promise.all(shards.map((shard) => sizeOf(shard, advice))));
    const expected = sum(weights.map((weight) => bytesOf(file, weight)));
    if (found !== expected) {
      throw new Error(
        `[engine] ${named(shards)}: expected ${expected} bytes, found ${found}; ` +
          `not the weights of ${file}, or cut short: copy or save the model again`,
      );
    }
    const parts: Uint8Array[] = [];
    for (const shard of shards) parts.push(await readBytes(shard, advice));
    if (sha256 !== undefined && sha256 !== checksumOf(weights, parts)) {
      throw new Error(
        `[engine] ${named(shards)}: the bytes, or what ${file} says of them, are not those that were saved: copy or ` +
          'save the model again (or take sha256 out of model.json if they were changed on purpose)',
      );
    }
    chunks.push(...parts);
  }
  const data = new Uint8Array(sum(chunks.map(({ byteLength }) => byteLength)));
  let offset = 0;
  for (const chunk of chunks) {
    data.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return [weightsManifest.flatMap(({ weights }) => weights), data.buffer];
}

const widths: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  complex64: 8,
  float16: 2,
  uint16: 2,
  uint8: 1,
};

/** The bytes of one weight in its file, where a quantized one is stored in its narrow type. */
function bytesOf(file: string, { name, shape, dtype, quantization }: tf.io.WeightsManifestEntry): number {
  const width = widths[quantization?.dtype ?? dtype];
  if (!width)
    throw new Error(`[engine] ${file}: weight ${name} has the type ${dtype}, which no LayersModel can train`);
  return tf.util.sizeFromShape(shape) * width;
}
