import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import * as z from 'zod';

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
export const readBytes = (file: string, advice: string): Promise<Buffer> =>
  withAdvice(file, advice, () => readFile(file));

/**
 * The bytes of a file.
 *
 * @throws with the file and `advice` if there is none.
 */
export const sizeOf = (file: string, advice: string): Promise<number> =>
  withAdvice(file, advice, async () => {
    const entry = await stat(file);
    if (!entry.isFile()) throw new Error('it is no file');
    return entry.size;
  });

async function withAdvice<T>(file: string, advice: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
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
  const topology: unknown = json?.modelTopology;
  const isTopology = typeof topology === 'object' && topology !== null;
  if (json?.format === 'graph-model' || (isTopology && 'node' in topology)) {
    throw new Error(
      `[engine] ${file} holds a GraphModel, which can't be trained: Espalier prunes LayersModels. Convert the ` +
        'Keras model with: tensorflowjs_converter --output_format tfjs_layers_model',
    );
  }
  if (!isTopology) {
    throw new Error(`[engine] ${file} is not a TensorFlow.js model: it has no modelTopology`);
  }
  const fault = manifestFault(json!);
  if (fault !== undefined) {
    throw new Error(`[engine] ${file} does not describe a model that can be built: ${fault}`);
  }
  return json as tf.io.ModelJSON;
}

const manifest = z.array(
  z.object({
    paths: z.array(z.string()),
    weights: z.array(
      z.object({
        name: z.string(),
        shape: z.array(z.int().nonnegative()),
        dtype: z.string(),
        quantization: z
          .object({ dtype: z.string(), min: z.number().optional(), scale: z.number().optional() })
          .optional(),
      }),
    ),
    sha256: z.string().optional(),
  }),
);

function manifestFault({ weightsManifest }: Partial<tf.io.ModelJSON>): string | undefined {
  const issue = manifest.optional().safeParse(weightsManifest).error?.issues[0];
  return issue && `weightsManifest.${issue.path.join('.')}: ${issue.message}`;
}
