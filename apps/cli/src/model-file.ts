import type { Dataset } from '@espalier/datasets';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import { type DataSpec, datasetNames } from './options/data.ts';
import { optimizerOf, type TrainingOptions } from './options/training.ts';
import { readModel, type SavedModel } from './saved-model.ts';

const settings = z.object({
  path: z.string().exactOptional(),
  limit: z.number().exactOptional(),
  validation: z.number().exactOptional(),
  split: z.enum(['70:15:15', '80:20']).exactOptional(),
  normalize: z.enum(['unit', 'standard']).exactOptional(),
  of: z.enum(['digits', 'letters']).exactOptional(),
  as: z.enum(['images', 'features']).exactOptional(),
  rows: z.number().exactOptional(),
  label: z.string().exactOptional(),
  header: z.boolean().exactOptional(),
  delimiter: z.string().exactOptional(),
  seed: z.number().exactOptional(),
});

const remembered = z.object({
  espalier: z.object({ dataset: z.enum(datasetNames), options: settings, seed: z.number() }),
});

/** A model from disk, with what it remembers of its training. */
export interface OpenedModel {
  readonly model: LayersModel;
  /** Its folder or `model.json`. */
  readonly path: string;
  readonly data?: DataSpec;
  readonly seed?: number;
}

/** What `model.json` keeps for later commands. */
export const modelMetadata = ({ name, options }: DataSpec, seed: number): Record<string, unknown> => ({
  espalier: { dataset: name, options, seed },
});

/**
 * Opens a model to compute with: its folder, its `model.json`, or the folder of the run that made it.
 *
 * @throws if it can't be read, or TensorFlow.js would compute something else than it says.
 */
export async function openModel(given: string): Promise<OpenedModel> {
  const { faults, ...opened } = await openToLook(given);
  if (faults.length === 0) return opened;
  opened.model.dispose();
  throw new Error(`TensorFlow.js does not compute what ${opened.path} says. ${faults.join('; ')}`);
}

/** Opens a model of which nothing will be computed: where TensorFlow.js is at fault, it is said with the model. */
export async function openToLook(given: string): Promise<OpenedModel & Pick<SavedModel, 'faults'>> {
  const saved = await readModel(given);
  // models from elsewhere have other metadata or none
  const known = remembered.safeParse(saved.model.getUserDefinedMetadata()).data?.espalier;
  if (!known) return saved;
  return { ...saved, data: { name: known.dataset, options: known.options }, seed: known.seed };
}

const shapeText = (shape: readonly (number | null)[]): string =>
  shape.map((n) => n ?? '?').join('x') || 'one number';

/** @throws if the model can't be fed with the dataset's rows or doesn't tell its classes apart. */
export function checkFit(model: LayersModel, { name, inputShape, classes }: Dataset): void {
  const [inputs, outputs] = [model.inputs.length, model.outputs.length];
  if (inputs !== 1 || outputs !== 1) {
    throw new Error(
      `the model has ${inputs} inputs and ${outputs} outputs; this command needs one of each: use the packages from code`,
    );
  }
  const takes = model.inputs[0]!.shape.slice(1);
  const fits = takes.length === inputShape.length && takes.every((n, i) => n === null || n === inputShape[i]);
  if (!fits) {
    throw new Error(
      `the model takes inputs of ${shapeText(takes)}, but ${name} has rows of ${shapeText(inputShape)}: ` +
        'choose the dataset that it was made for with --dataset',
    );
  }
  const gives = model.outputs[0]!.shape.slice(1);
  if (gives.length !== 1 || gives[0] !== classes.length) {
    throw new Error(
      `the model gives ${shapeText(gives)} outputs, but ${name} has ${classes.length} classes: ` +
        'choose the dataset that it was made for with --dataset',
    );
  }
}

/** Makes a model ready to be trained and measured as a classifier. */
export const compile = (model: LayersModel, options: TrainingOptions = {}): void =>
  model.compile({ optimizer: optimizerOf(options), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
