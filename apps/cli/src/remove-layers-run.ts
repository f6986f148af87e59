import { type Dataset, take } from '@espalier/datasets';
import { formatPercent } from '@espalier/report';
import { type LayerEvent, removeLayers } from '@espalier/trainer';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { withTensors } from './data.ts';
import { CALIBRATION, type PruningOptions } from './options/pruning.ts';
import type { RemovalOptions } from './options/removal.ts';
import type { Ui } from './ui.ts';

/** Says before anything is computed that whole layers can't be tried. */
export function checkLayerRemoval({ removeLayers: points }: RemovalOptions, dataset: Dataset): void {
  if (points === undefined || dataset.validation.rows > 0) return;
  throw new Error(
    `${dataset.name} has no validation rows with these options, and --remove-layers goes by them: use --split 70:15:15`,
  );
}

/** The model without the layers that it can do without, if that is asked; every layer that is tried is told of. */
export async function takeLayersOff(
  model: LayersModel,
  dataset: Dataset,
  { removeLayers: points, keep, calibration = CALIBRATION }: RemovalOptions & PruningOptions,
  onEvent: (event: LayerEvent) => void | Promise<void>,
  ui: Ui,
): Promise<LayersModel> {
  if (points === undefined) return model;
  const { train, validation } = dataset;
  const parts = { judged: take(train, calibration), validation };
  const { model: left } = await withTensors(dataset, parts, (tensors) =>
    removeLayers(
      model,
      { train: tensors.judged, validation: tensors.validation },
      {
        maxLoss: points / 100,
        ...(keep && { keep }),
        async onEvent(event) {
          ui.note(layerLine(event));
          await onEvent(event);
        },
      },
    ),
  );
  return left;
}

const layerLine = ({ round, goes, accuracy, taken }: LayerEvent): string =>
  `round ${round}  without ${goes.join(', ')}: validation accuracy ${formatPercent(accuracy, 2)}  ${taken ? 'goes' : 'stays'}`;
