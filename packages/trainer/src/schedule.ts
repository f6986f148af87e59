import { analyze, type Budget, groupsInScope, type Pruning } from '@espalier/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** A budget for the whole training, reached by equal steps although the model gets smaller at each. */
export class BudgetSteps {
  /** The units of each group in the scope when the run began. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly #pruning: Pruning;

  constructor(pruning: Pruning, sizes: Readonly<Record<string, number>>) {
    this.#pruning = pruning;
    this.sizes = sizes;
  }

  /** What the model as it is now must lose in the `step`th (from 1) of `steps` prunings. */
  budgetOf(model: LayersModel, step: number, steps: number): Budget | undefined {
    const { budget, scope } = this.#pruning;
    if (!budget || 'threshold' in budget) return budget;
    const now = sizesOf(model, scope);
    const counts = Object.entries(this.sizes).map(([id, size]): [string, number] => {
      const total = 'fraction' in budget ? budget.fraction * size : countOf(budget.count, id);
      const goneByNow = Math.floor((total * step) / steps + 1e-9);
      return [id, Math.max(0, goneByNow - (size - (now[id] ?? size)))];
    });
    return { count: Object.fromEntries(counts) };
  }
}

const countOf = (count: number | Readonly<Record<string, number>>, id: string): number =>
  typeof count === 'number' ? count : (count[id] ?? 0);

/** How many units each group of a scope has. */
export function sizesOf(
  model: LayersModel,
  scope: readonly string[] | undefined,
): Readonly<Record<string, number>> {
  const groups = groupsInScope(analyze(model).groups, scope);
  return Object.fromEntries(groups.map(({ id, size }) => [id, size]));
}
