import { analyze, type Budget, groupsInScope, maskedPlan } from '@espalier/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** Numbers of units by group id. */
export type Sizes = Readonly<Record<string, number>>;

/** How many units each group of a scope has, masked ones included. */
export function sizesOf(model: LayersModel, scope: readonly string[] | undefined): Sizes {
  const groups = groupsInScope(analyze(model).groups, scope);
  return Object.fromEntries(groups.map(({ id, size }) => [id, size]));
}

/** How many units of groups that were so large are gone, by masks or really. */
export function goneOf(model: LayersModel, sizes: Sizes): Sizes {
  const masked = new Map(maskedPlan(model)?.groups.map(({ id, remove }) => [id, remove.length]));
  return mapValues(lostOf(model, sizes), (lost, id) => lost + (masked.get(id) ?? 0));
}

/**
 * A budget in units of groups that were so large, for the model that they have become: units that were really removed
 * count no more, masked ones still do.
 */
export function budgetFor(model: LayersModel, sizes: Sizes, budget: Budget | undefined): Budget | undefined {
  if (!budget || !('count' in budget) || typeof budget.count === 'number') return budget;
  const lost = lostOf(model, sizes);
  const there = Object.entries(budget.count).filter(([id]) => lost[id]! < sizes[id]!);
  return { count: mapValues(Object.fromEntries(there), (count, id) => Math.max(0, count - lost[id]!)) };
}

/** How many units groups that were so large have no more: all, if their layer went whole. */
function lostOf(model: LayersModel, sizes: Sizes): Sizes {
  const now = new Map(analyze(model).groups.map(({ id, size }) => [id, size]));
  return mapValues(sizes, (size, id) => size - (now.get(id) ?? 0));
}

const mapValues = (sizes: Sizes, map: (value: number, id: string) => number): Sizes =>
  Object.fromEntries(Object.entries(sizes).map(([id, value]) => [id, map(value, id)]));
