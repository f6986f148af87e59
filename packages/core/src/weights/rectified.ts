import type { Trace, TracedLayer } from '../graph/trace.ts';

/** Layers through which a maximum passes, so that max(0, x) may as well come after them. */
const orderly = /^(Global)?MaxPooling|^Dropout$/;

/**
 * Whether of what a layer sums up nothing below 0 is left: by its own activation, or by the next one that all who read
 * it have. What the model puts out is read as it is, too.
 */
export function isRectified(layer: TracedLayer, { outputs }: Pick<Trace, 'outputs'>): boolean {
  const { activation } = layer.layer.getConfig();
  if (activation !== undefined && activation !== 'linear') return activation === 'relu';
  return isReadRectified(layer, outputs);
}

const isReadRectified = ({ outputs }: TracedLayer, ends: Trace['outputs']): boolean =>
  outputs.length > 0 &&
  outputs.every(
    (output) =>
      !ends.includes(output) &&
      output.consumers.length > 0 &&
      output.consumers.every((consumer) => rectifies(consumer, ends)),
  );

function rectifies(layer: TracedLayer, ends: Trace['outputs']): boolean {
  const kind = layer.layer.getClassName();
  if (orderly.test(kind)) return isReadRectified(layer, ends);
  if (layer.weights.length > 0) return false;
  return kind === 'ReLU' || layer.layer.getConfig().activation === 'relu';
}
