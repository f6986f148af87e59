import { pruneWeights } from '@espalier/core';
import { take } from '@espalier/datasets';
import { formatPercent } from '@espalier/report';
import type { WeightsEvent } from '@espalier/trainer';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { withTensors } from './data.ts';
import { CALIBRATION } from './options/pruning.ts';
import { weightPruningOf } from './options/weights.ts';
import type { PruneRun } from './prune-model.ts';
import type { Ui } from './ui.ts';

/** Zeroes single weights of the model, if that is asked; they stay so while it is fine-tuned. */
export async function zeroWeights(
  { options: { weights, keep, calibration = CALIBRATION }, dataset, done }: PruneRun,
  model: LayersModel,
  ui: Ui,
): Promise<WeightsEvent[]> {
  if (!weights) return [];
  const parts = { judged: take(dataset.train, calibration) };
  return withTensors(dataset, parts, async ({ judged }) => {
    const pruning = weightPruningOf(weights, { x: judged.x });
    ui.note(`pruning single weights by ${pruning.pruner.name}`);
    const { kernels, ...all } = await pruneWeights(model, { ...pruning, ...(keep && { keep }) });
    ui.note(`${formatPercent(all.zeros / all.weights)} of the weights are zero`);
    return [{ type: 'weights', epoch: done, pruner: pruning.pruner.name, kernels }];
  });
}
