import { type Budget, everyEpochs, type Pruner } from '@espalier/core';
import { angle } from '@espalier/pruner-angle';
import { badness } from '@espalier/pruner-badness';
import { contribution } from '@espalier/pruner-contribution';
import { random } from '@espalier/pruner-random';
import { relevance } from '@espalier/pruner-relevance';
import { sensitivity } from '@espalier/pruner-sensitivity';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Data } from '../data.ts';
import { fit, networkFor, type Outcome, outcomeOf } from './network.ts';
import { DEEP, EPOCHS, HIDDEN, type Length, PRUNINGS, RULE, type Units } from './paper.ts';

export type Criterion = 'sensitivity' | 'relevance' | 'badness' | 'contribution' | 'angle' | 'random';

/** Who judges; the first is the paper's. */
export const criteria: Readonly<Record<Criterion, (seed: number) => Pruner>> = {
  sensitivity: () => sensitivity(),
  relevance: () => relevance({ order: 2 }),
  badness: () => badness(),
  contribution: () => contribution(),
  angle: () => angle(),
  random: (seed) => random({ seed }),
};

interface DeepArgs {
  readonly seed: number;
  readonly quick: boolean;
}

const FEW_EPOCHS = 5;
const epochsOf = (full: number, quick: boolean): number => (quick ? FEW_EPOCHS : full);

/** The network with the layers that it begins with, or narrower ones, trained without pruning. */
export async function unpruned(
  letters: Data,
  { units, seed, quick }: DeepArgs & { readonly units: Units },
): Promise<Outcome> {
  const model = networkFor(letters, { hidden: Object.values(units), l2: DEEP.l2, seed }, DEEP);
  const trained = await fit(model, letters, { ...DEEP, epochs: epochsOf(EPOCHS.whole, quick), seed });
  return outcomeOf(trained.model, letters, trained.events);
}

/** The paper's rule, with its threshold or with counts: pruned by sensitivity while it trains. */
export async function byRule(
  letters: Data,
  { budget, seed, quick }: DeepArgs & { readonly budget: Budget },
): Promise<Outcome> {
  const model = networkFor(letters, { hidden: Object.values(HIDDEN), l2: DEEP.l2, seed }, DEEP);
  const schedule = everyEpochs(quick ? { until: RULE.until } : { every: RULE.every, until: RULE.until });
  const pruning = { pruner: sensitivity(), budget, schedule };
  const trained = await fit(model, letters, {
    ...DEEP,
    epochs: epochsOf(EPOCHS.whole, quick),
    seed,
    pruning,
  });
  // a layer of which every unit went is gone itself
  const sizes = new Map(trained.model.layers.map((layer) => [layer.name, layer.outputShape[1] as number]));
  const units = Object.keys(HIDDEN).map((name) => [name, sizes.get(name) ?? 0]);
  const outcome = await outcomeOf(trained.model, letters, trained.events);
  return { ...outcome, figures: { ...outcome.figures, ...Object.fromEntries(units) } };
}

/** The network that `pruned` begins with. */
export async function trainedFirst(letters: Data, { seed, quick }: DeepArgs): Promise<LayersModel> {
  const model = networkFor(letters, { hidden: Object.values(HIDDEN), l2: DEEP.l2, seed }, DEEP);
  return (await fit(model, letters, { ...DEEP, epochs: epochsOf(EPOCHS.first, quick), seed })).model;
}

export interface PrunedArgs extends DeepArgs {
  readonly units: Units;
  readonly criterion: Criterion;
  readonly length: Length;
}

/** Small steps with training in between, from a trained network, down to so many units in each layer. */
export async function pruned(
  letters: Data,
  model: LayersModel,
  { units, criterion, length, seed, quick }: PrunedArgs,
): Promise<Outcome> {
  const count = Object.fromEntries(
    Object.entries(HIDDEN).map(([name, size]) => [name, size - units[name as keyof Units]]),
  );
  const { rate, epochs, every, until } = PRUNINGS[length];
  const pruning = {
    pruner: criteria[criterion](seed),
    budget: { count },
    schedule: everyEpochs(quick ? { until } : { every, until }),
  };
  // another order of the examples than in the first training
  const args = { ...DEEP, rate, epochs: epochsOf(epochs, quick), seed: seed + 1000, pruning };
  const trained = await fit(model, letters, args);
  return outcomeOf(trained.model, letters, trained.events);
}
