import type { LayersModel } from '@tensorflow/tfjs-layers';
import { analyzeInternals, type Cost } from '../graph/analyze.ts';
import { Removal } from './removal.ts';
import { wholeOf } from './whole.ts';

/** What goes with some units of a group. */
export interface Saving extends Cost {
  /** How many units. */
  readonly units: number;
}

/**
 * What a model would save if a share of the units of one group went, for each group by itself: the difference that the
 * cost of such a plan makes. Nothing is judged; the units are spread evenly over the group.
 *
 * @param fraction Of the units, above 0 and below 1; one unit at least.
 * @returns By group id; nothing for groups that can't be pruned, and for those of which no unit can go.
 * @throws if the fraction makes no sense.
 */
export function savingsOf(model: LayersModel, fraction: number): ReadonlyMap<string, Saving> {
  if (!(fraction > 0 && fraction < 1)) {
    throw new Error(`[core] the fraction must be above 0 and below 1, got ${fraction}`);
  }
  const analysis = analyzeInternals(model);
  const before = analysis.cost;
  const savings = new Map<string, Saving>();
  for (const { id, size, prunable } of analysis.groups) {
    if (!prunable) continue;
    const units = Math.max(1, wholeOf(fraction * size));
    const remove = Array.from({ length: units }, (_, i) => Math.floor((i * size) / units));
    const removal = new Removal(analysis, [{ id, remove }]);
    if (removal.overdone !== undefined) continue;
    const { params, macs, bytes } = removal.cost;
    savings.set(id, {
      units,
      params: before.params - params,
      macs: before.macs - macs,
      bytes: before.bytes - bytes,
    });
  }
  return savings;
}
