import { analyze, type Group, type Plan } from '@espalier/core';
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
  run: Pick<StartEvent, 'title' | 'seed' | 'engine' | 'dataset' | 'noise' | 'teacher'>,
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

/**
 * A pruning after which layers went whole: `groups` are those of the model before, `joined` the layers, `model` what is
 * left.
 */
export const withoutLayers = (
  event: PruneEvent,
  groups: readonly Group[],
  joined: readonly string[],
  model: LayersModel,
): PruneEvent => {
  if (joined.length === 0) return event;
  const whole = groups.filter(({ id }) => joined.includes(id));
  return {
    ...event,
    groups: [
      ...event.groups.filter(({ id }) => !joined.includes(id)),
      ...whole.map(({ id, kind, size }) => ({ id, kind, before: size, after: 0 })),
    ],
    after: analyze(model).cost,
    notes: [...event.notes, `layers that go whole, their neighbours joined: ${joined.join(', ')}`],
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
