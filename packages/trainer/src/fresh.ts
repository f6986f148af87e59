import { type Pruner, plan, shrink } from '@espalier/core';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, models } from '@tensorflow/tfjs-layers';
import { disposeModel } from './dispose.ts';
import { withSeed } from './seed.ts';
import { sizesOf } from './sizes.ts';

/** Which units go is all the same where the weights are drawn anew. */
const anyUnits: Pruner = { name: 'any', score: ({ bias }) => tf.range(0, bias.shape[0]) };

/**
 * A network as `template` is, with so many units in the groups that `sizes` names by id, compiled as it is, and
 * not trained: its weights are drawn from its initializers anew, the same ones for the same seed, whatever
 * seeds the initializers themselves were given. Frozen layers keep the weights that they have.
 */
export async function freshModel(
  template: LayersModel,
  sizes: Readonly<Record<string, number>>,
  seed: string,
): Promise<LayersModel> {
  const scope = Object.keys(sizes);
  const count = Object.fromEntries(
    Object.entries(sizesOf(template, { scope })).map(([id, units]) => [id, units - sizes[id]!]),
  );
  const model = await shrink(template, await plan(template, { pruner: anyUnits, scope, budget: { count } }));
  // it goes on where the template's stands
  model.optimizer.dispose();
  const kind = template.optimizer.constructor as tf.serialization.SerializableConstructor<tf.Optimizer>;
  const optimizer = kind.fromConfig(kind, template.optimizer.getConfig());
  model.compile({ optimizer, loss: template.loss, metrics: template.metrics });
  try {
    await drawWeights(model, seed);
    return model;
  } catch (error) {
    disposeModel(model);
    throw error;
  }
}

async function drawWeights(model: LayersModel, seed: string): Promise<void> {
  const modelTopology = forgetSeeds(model.toJSON(null, false));
  type Loaded = Parameters<typeof models.modelFromJSON>[0];
  const donor = await withSeed(seed, () => models.modelFromJSON({ modelTopology } as unknown as Loaded));
  copyWeights(donor, model);
  donor.dispose();
}

/** A model's JSON whose initializers take a seed of `Math.random`, as they do if they are given none. */
function forgetSeeds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(forgetSeeds);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const config = (inner as { readonly config?: object } | null)?.config;
      if (!key.endsWith('_initializer') || !config) return [key, forgetSeeds(inner)];
      const unseeded = Object.entries(config).filter(([field]) => field !== 'seed');
      return [key, { ...(inner as object), config: Object.fromEntries(unseeded) }];
    }),
  );
}

function copyWeights(from: LayersModel, to: LayersModel): void {
  if (!to.trainable) return;
  for (const layer of to.layers) {
    const twin = from.getLayer(layer.name);
    if ('layers' in layer) copyWeights(twin as unknown as LayersModel, layer as unknown as LayersModel);
    else if (layer.trainable) layer.setWeights(twin.getWeights());
  }
}
