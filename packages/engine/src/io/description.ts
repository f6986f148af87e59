import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';

/** A model's description, and the file that it stands in. */
export interface Description {
  readonly file: string;
  readonly json: tf.io.ModelJSON;
}

/**
 * Reads `model.json`; `path` may be the folder that it is in.
 *
 * @throws if it is missing, not JSON, or not of a LayersModel.
 */
export async function readDescription(path: string): Promise<Description> {
  const file = await modelFile(path);
  return { file, json: parse(file, (await readBytes(file, 'check the path')).toString('utf8')) };
}

/** Where shards lie that a description names. */
export const shardsOf = (file: string, paths: readonly string[]): string[] =>
  paths.map((path) => join(dirname(file), path));

async function modelFile(path: string): Promise<string> {
  const entry = await stat(path).catch(() => undefined);
  if (!entry) throw new Error(`[engine] there is no model at ${path}; give a folder or a model.json`);
  return entry.isDirectory() ? join(path, 'model.json') : path;
}

/** @throws with the file and `advice` if it can't be read. */
export async function readBytes(file: string, advice: string): Promise<Buffer> {
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
