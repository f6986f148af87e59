import type { TracedLayer } from '../graph/trace.ts';

/** Layers through which a maximum passes, so that max(0, x) may as well come after them. */
const orderly = /^(Global)?MaxPooling|^Dropout$/;

/**
 * Whether of what a layer sums up nothing below 0 is left: by its own activation, or by the next one that all who read
 * it have.
 */
export function isRectified(layer: TracedLayer): boolean {
  const { activation } = layer.layer.getConfig();
  return activation === undefined || activation === 'linear' ? isReadRectified(layer) : activation === 'relu';
}

const isReadRectified = ({ outputs }: TracedLayer): boolean =>
  outputs.length > 0 && outputs.every(({ consumers }) => consumers.length > 0 && consumers.every(rectifies));

function rectifies(layer: TracedLayer): boolean {
  const kind = layer.layer.getClassName();
  if (orderly.test(kind)) return isReadRectified(layer);
  if (layer.weights.length > 0) return false;
  return kind === 'ReLU' || layer.layer.getConfig().activation === 'relu';
}
