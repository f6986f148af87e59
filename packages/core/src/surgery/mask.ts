import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Analysis, analyzeInternals } from '../graph/analyze.ts';
import { mergePlans } from '../plan/merge.ts';
import { checkPlan, Removal } from '../plan/removal.ts';
import type { Plan } from '../plan/types.ts';
import { compensate, readWeights, writeWeight, zeroReads } from './weights.ts';

/** The units that were masked in each model, so that `shrink(model)` needs no plan. */
const maskedPlans = new WeakMap<LayersModel, Plan>();

/** A Sequential model trains, and hands to its callbacks, a model inside it: both are one to us. */
const trainedModel = (model: LayersModel): LayersModel =>
  (model as LayersModel & { readonly model?: LayersModel }).model ?? model;

/** What was masked in a model so far; its folds and refits are in the weights already. */
export const maskedPlan = (model: LayersModel): Plan | undefined => maskedPlans.get(trainedModel(model));

/**
 * What was masked, if it still is.
 *
 * @throws if a training that did not hold the masked units, or new weights, brought them back.
 */
export async function heldPlan(model: LayersModel, analysis: Analysis): Promise<Plan | undefined> {
  const plan = maskedPlan(model);
  if (!plan) return undefined;
  const { layers } = analysis.trace;
  const values = await readWeights(layers);
  const before = new Map([...values].map(([weight, data]) => [weight, data.slice()]));
  for (const weight of zeroReads(layers, new Removal(analysis, plan.groups), values)) {
    const zeroed = values.get(weight)!;
    if (before.get(weight)!.every((value, i) => value === zeroed[i])) continue;
    throw new Error(
      `[core] units that were masked are read again at ${weight.variable.originalName}: train with prune() or hold(), ` +
        'which hold them, or mask(model, plan) anew',
    );
  }
  return plan;
}

/**
 * Carries out a plan in place: the survivors take over what the plan folds into them, then every weight
 * that reads a removed unit becomes zero. The model keeps its shape; its outputs are those of the model
 * that `shrink` makes from the same plan. The same plan another time zeroes what came back, and refits
 * nothing again.
 *
 * @throws if the plan is for another model or makes no sense for it; the model is then untouched.
 */
export async function mask(model: LayersModel, plan: Plan): Promise<LayersModel> {
  const analysis = analyzeInternals(model);
  const removal = checkPlan(model, analysis, plan);
  const { layers } = analysis.trace;
  const values = await readWeights(layers);
  const earlier = maskedPlan(model);
  compensate(removal, plan, earlier, values);
  zeroReads(layers, removal, values);
  for (const [weight, data] of values) writeWeight(weight.variable, data);
  const { refits: _, ...merged } = earlier ? mergePlans(earlier, plan) : plan;
  maskedPlans.set(trainedModel(model), { ...merged, folds: [] });
  return model;
}
