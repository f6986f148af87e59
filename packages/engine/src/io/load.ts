import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';

/**
 * Reads a model saved by `saveModel`, by `model.save('file://...')`, or by `tensorflowjs_converter
 * --output_format tfjs_layers_model`: any number of weight groups and shards. Works on every engine.
 *
 * @param path The folder of the model, or its `model.json`.
 * @throws Error naming the file at fault and what to do: missing, not JSON, cut short, or not a LayersModel.
 */
export async function loadModel(path: string): Promise<LayersModel> {
  const file = await modelFile(path);
  const json = parse(file, (await readBytes(file, 'check the path')).toString('utf8'));
  const artifacts = tf.io.getModelArtifactsForJSONSync(json, ...(await readWeights(file, json)));
  try {
    return await loadLayersModel({ load: async () => artifacts });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`[engine] ${file} does not describe a model that can be built: ${message}`, {
      cause: error,
    });
  }
}

async function modelFile(path: string): Promise<string> {
  const entry = await stat(path).catch(() => undefined);
  if (!entry) throw new Error(`[engine] there is no model at ${path}; give a folder or a model.json`);
  return entry.isDirectory() ? join(path, 'model.json') : path;
}

async function readBytes(file: string, advice: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`[engine] ${file} ${missing ? 'is missing' : `can't be read (${message})`}; ${advice}`, {
      cause: error,
    });
  }
}

function parse(file: string, text: string): tf.io.ModelJSON {
  let json: Partial<tf.io.ModelJSON> | null;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(
      `[engine] ${file} is not valid JSON (${message}); it may be cut short: copy or save the model again`,
      { cause: error },
    );
  }
  const topology = json?.modelTopology as Record<string, unknown> | undefined;
  if (json?.format === 'graph-model' || (topology && 'node' in topology)) {
    throw new Error(
      `[engine] ${file} holds a GraphModel, which can't be trained: Espalier prunes LayersModels. Convert the ` +
        'Keras model with: tensorflowjs_converter --output_format tfjs_layers_model',
    );
  }
  if (!topology || typeof topology !== 'object') {
    throw new Error(`[engine] ${file} is not a TensorFlow.js model: it has no modelTopology`);
  }
  return json as tf.io.ModelJSON;
}

async function readWeights(
  file: string,
  { weightsManifest = [] }: Partial<tf.io.ModelJSON>,
): Promise<[tf.io.WeightsManifestEntry[], ArrayBuffer]> {
  const chunks: Uint8Array[] = [];
  for (const { paths, weights } of weightsManifest) {
    const shards = paths.map((path) => join(dirname(file), path));
    const advice = `it belongs to ${file}: copy it beside it, or save the model again`;
    const parts = await Promise.all(shards.map((shard) => readBytes(shard, advice)));
    const found = parts.reduce((sum, part) => sum + part.byteLength, 0);
    const expected = weights.reduce((sum, weight) => sum + bytesOf(weight), 0);
    if (found !== expected) {
      throw new Error(
        `[engine] ${shards.join(' + ')}: expected ${expected} bytes, found ${found}; ` +
          `not the weights of ${file}, or cut short: copy or save the model again`,
      );
    }
    chunks.push(...parts);
  }
  const data = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
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
function bytesOf({ name, shape, dtype, quantization }: tf.io.WeightsManifestEntry): number {
  const width = widths[quantization?.dtype ?? dtype];
  if (!width)
    throw new Error(`[engine] weight ${name} has the type ${dtype}, which no LayersModel can train`);
  return tf.util.sizeFromShape(shape) * width;
}
