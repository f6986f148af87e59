import { analyze, type Plan } from '@espalier/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { EndEvent, PruneEvent, StartEvent } from './record.ts';

/** The model's half of a start or end event. */
export function describeModel(model: LayersModel): Pick<StartEvent, 'layers' | 'cost'> {
  const { layers, cost } = analyze(model);
  return {
    cost,
    layers: layers.map(({ name, className, outputShape, params, macs }) => ({
      name,
      className,
      outputShape,
      params,
      macs,
    })),
  };
}

/** The first event of a run. */
export const startEvent = (
  model: LayersModel,
  run: Pick<StartEvent, 'title' | 'seed' | 'engine' | 'dataset'>,
): StartEvent => ({
  type: 'start',
  time: new Date().toISOString(),
  ...run,
  optimizer: model.optimizer?.getClassName() ?? 'none',
  ...describeModel(model),
});

/** A plan that was carried out after `epoch` epochs; `earlier` is what had been masked before it. */
export const pruneEvent = (plan: Plan, epoch: number, earlier?: Plan): PruneEvent => {
  const masked = new Map(earlier?.groups.map(({ id, remove }) => [id, remove.length]));
  return {
    type: 'prune',
    epoch,
    pruner: plan.pruner,
    compensation: plan.compensation,
    groups: plan.groups
      .map(({ id, kind, size, remove }) => ({
        id,
        kind,
        before: size - (masked.get(id) ?? 0),
        after: size - remove.length,
      }))
      .filter(({ before, after }) => after < before),
    before: earlier?.cost.after ?? plan.cost.before,
    after: plan.cost.after,
    notes: plan.notes,
  };
};

/** The last event of a run that began with `start`. */
export const endEvent = (model: LayersModel, start: StartEvent, stopped?: string): EndEvent => ({
  type: 'end',
  time: new Date().toISOString(),
  seconds: (Date.now() - Date.parse(start.time)) / 1000,
  ...describeModel(model),
  ...(stopped !== undefined && { stopped }),
});
