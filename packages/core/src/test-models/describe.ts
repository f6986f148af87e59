import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Layer } from '../graph/rule.ts';
import { trace } from '../graph/trace.ts';
import type { Plan } from '../plan/types.ts';

/** A model as a few lines that a person can rebuild it from, and what a plan takes from it. */
export function describeCase(model: LayersModel, plan: Plan | undefined): string {
  const lines = trace(model).layers.map(({ path, layer, inputs, outputs }) => {
    const from = inputs.map(({ producer }) => producer?.path ?? 'outside').join(', ');
    const shape = outputs[0]?.labels.shape.join('x') ?? '';
    return `  ${path} = ${layer.getClassName()}(${detailsOf(layer)}) of ${from || 'nothing'}: ${shape}`;
  });
  const removed = plan?.groups.map(({ id, size, remove }) => `${id} [${remove}] of ${size}`) ?? [];
  return [...lines, `  removed: ${removed.join('; ') || 'nothing'}`].join('\n');
}

/** What of a config tells one layer from another of its kind. */
function detailsOf(layer: Layer): string {
  const usual = /initializer|regularizer|constraint|name|trainable|dtype|layer|cell|batchInputShape/i;
  return Object.entries(layer.getConfig())
    .filter(([field, value]) => !usual.test(field) && value !== null && value !== undefined)
    .map(([field, value]) => `${field}: ${JSON.stringify(value)}`)
    .join(', ');
}
