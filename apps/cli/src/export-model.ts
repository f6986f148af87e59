import { loadModel, saveModel } from '@espalier/engine';
import { disposeModel, type EvaluateEvent } from '@espalier/trainer';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type LoadedData, withTensors } from './data.ts';
import { measure } from './measure.ts';
import { compile } from './model-file.ts';
import { type ExportOptions, exportArgs } from './options/export.ts';

/**
 * Writes a model that a run leaves. A quantized file computes something else than the model that was measured: it is
 * read back and measured, too.
 */
export async function exportModel(
  model: LayersModel,
  path: string,
  metadata: Readonly<Record<string, unknown>>,
  options: ExportOptions,
  { dataset }: Pick<LoadedData, 'dataset'>,
): Promise<EvaluateEvent[]> {
  const { bytes, gzipped } = await saveModel(model, path, { metadata, ...exportArgs(options) });
  const { quantize } = options;
  if (!quantize) return [];
  const written = await loadModel(path);
  try {
    compile(written);
    const event = await withTensors(dataset, { test: 'test' }, ({ test }) =>
      measure(written, test, { stage: `stored in ${quantize}`, split: 'test' }),
    );
    return [{ ...event, disk: { bytes, gzipped } }];
  } finally {
    disposeModel(written);
  }
}
