import { type CalibrationData, type Plan, removableLayers, removeLayer, shrink } from '@espalier/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { disposeModel } from './dispose.ts';

/** A model that a plan was carried out on. */
export interface CarriedOut {
  readonly model: LayersModel;
  /** The layers that the plan spared one unit of, and that went whole. */
  readonly joined: readonly string[];
}

/**
 * Makes the smaller model that a plan describes, as `shrink` does, and removes the layers of which every unit should
 * have gone (plans with `wholeLayers` name them), joining their neighbours as `removeLayer` does. The given model is
 * not changed.
 *
 * @throws as `shrink` and `removeLayer` do.
 */
export async function carryOut(model: LayersModel, plan: Plan, data?: CalibrationData): Promise<CarriedOut> {
  let smaller = await shrink(model, plan);
  const joined: string[] = [];
  try {
    for (const layer of plan.spared ?? []) {
      if (!removableLayers(smaller).some((one) => one.layer === layer && one.removable)) continue;
      const without = await removeLayer(smaller, { layer, ...(data && { data }) });
      disposeModel(smaller);
      smaller = without;
      joined.push(layer);
    }
  } catch (error) {
    disposeModel(smaller);
    throw error;
  }
  return { model: smaller, joined };
}
