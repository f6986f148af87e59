import { analyze, type Budget, groupsInScope, maskedPlan, type Scope } from '@espalier/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** Numbers of units by group id. */
export type Sizes = Readonly<Record<string, number>>;

/** The groups that share a budget, by id: the id of the first of them. */
export type Pools = Readonly<Record<string, string>>;

/** How many units each group that may be pruned has, masked ones included. */
export function sizesOf(model: LayersModel, scope: Scope): Sizes {
  return Object.fromEntries(groupsInScope(analyze(model), scope).map(({ id, size }) => [id, size]));
}

/** How many units of groups that were so large are gone, by masks or really. */
export function goneOf(model: LayersModel, sizes: Sizes): Sizes {
  const masked = new Map(maskedPlan(model)?.groups.map(({ id, remove }) => [id, remove.length]));
  return mapValues(lostOf(model, sizes), (lost, id) => lost + (masked.get(id) ?? 0));
}

/**
 * A budget in units of groups that were so large, for the model that they have become: units that were really removed
 * count no more, masked ones still do. It counts by pools, under the id of a group that is still there.
 */
export function budgetFor(
  model: LayersModel,
  { sizes, pools }: { readonly sizes: Sizes; readonly pools: Pools },
  budget: Budget | undefined,
): Budget | undefined {
  if (!budget || !('count' in budget) || typeof budget.count === 'number') return budget;
  const lost = lostOf(model, sizes);
  const counts = Object.entries(budget.count).flatMap(([pool, count]): [string, number][] => {
    const ids = Object.keys(sizes).filter((id) => pools[id] === pool);
    const there = ids.find((id) => lost[id]! < sizes[id]!);
    if (there === undefined) return [];
    return [[there, Math.max(0, count - ids.reduce((sum, id) => sum + lost[id]!, 0))]];
  });
  return { count: Object.fromEntries(counts) };
}

/** How many units groups that were so large have no more: all, if their layer went whole. */
function lostOf(model: LayersModel, sizes: Sizes): Sizes {
  const now = new Map(analyze(model).groups.map(({ id, size }) => [id, size]));
  return mapValues(sizes, (size, id) => size - (now.get(id) ?? 0));
}

const mapValues = (sizes: Sizes, map: (value: number, id: string) => number): Sizes =>
  Object.fromEntries(Object.entries(sizes).map(([id, value]) => [id, map(value, id)]));
