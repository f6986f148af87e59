import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { faultsOf } from '@espalier/core';
import { loadModel, readDescription } from '@espalier/engine';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { messageOf } from './errors.ts';
import { exists } from './files.ts';

/** A model as it was read. */
export interface SavedModel {
  readonly model: LayersModel;
  /** Its folder or `model.json`. */
  readonly path: string;
  /** What TensorFlow.js would compute otherwise than `model.json` says, and what to do. */
  readonly faults: readonly string[];
}

/**
 * Reads a model: its folder, its `model.json`, or the folder of the run that made it.
 *
 * @throws if there is none or TensorFlow.js can't build it, with what to do.
 */
export async function readModel(given: string): Promise<SavedModel> {
  const path = await find(given);
  const { file, json } = await readDescription(path);
  const specs = (json.weightsManifest ?? []).flatMap(({ weights }) => weights);
  const faults = faultsOf(json.modelTopology, specs);
  try {
    return { model: await loadModel(path), path, faults };
  } catch (error) {
    if (faults.length > 0) throw new Error(`${file} can't be loaded. ${faults.join('; ')}`, { cause: error });
    const [, what, name] = /: Unknown (\w+): (\w+)\./.exec(messageOf(error)) ?? [];
    if (what === undefined || name === undefined) throw error;
    throw new Error(`${file} has a ${what} ${name}, ${unknown(name)}`, { cause: error });
  }
}

const unknown = (name: string): string =>
  `which TensorFlow.js does not have. Write it for TensorFlow.js in a file of yours that registers it (registerClass(${name}) ` +
  "of @tensorflow/tfjs-core's serialization, and registerLayer of @espalier/core so that units around it can go), and load " +
  "that with the command: NODE_OPTIONS='--import ./layers.js' espalier ...";

const convert = (format: string): string =>
  `convert it with tensorflowjs_converter --input_format ${format} --output_format tfjs_layers_model`;

/** What to do with models that were saved elsewhere, by the ends of their files' names. */
const foreign: Readonly<Record<string, string>> = {
  '.h5': convert('keras'),
  '.hdf5': convert('keras'),
  '.keras': `save it as .h5 by Keras 2 (the package tf_keras), and ${convert('keras')}`,
  '.pb': convert('keras_saved_model'),
};

/** The folder or file that holds the model. */
async function find(given: string): Promise<string> {
  const inner = join(given, 'model');
  if (await exists(join(given, 'model.json'))) return given;
  if (await exists(join(inner, 'model.json'))) return inner;
  const entry = await stat(given).catch(() => undefined);
  if (!entry) return given;
  const isFolder = entry.isDirectory();
  const names = isFolder ? (await readdir(given)).sort() : [basename(given)];
  const strange = names.find((name) => extname(name) in foreign);
  if (strange !== undefined) {
    const what = isFolder ? `holds ${strange}, a model` : 'is a model';
    throw new Error(
      `${given} ${what} of Keras or TensorFlow, not of TensorFlow.js: ${foreign[extname(strange)]}`,
    );
  }
  const others = names.filter((name) => extname(name) === '.json');
  if (isFolder && others.length > 0) {
    throw new Error(
      `${given} holds no model.json: name the model's own file, if it is one of ${others.join(', ')}`,
    );
  }
  return given;
}
