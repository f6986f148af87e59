import type { Labels } from '../labels.ts';
import type { LayerCall, LayerLabels, WeightAxis } from '../rule.ts';

/** The last axis, or the first after the batch. */
export const channelAxis = ({ config, inputs }: Pick<LayerCall, 'config' | 'inputs'>): number =>
  config.dataFormat === 'channelsFirst' ? 0 : inputs[0]!.shape.length - 1;

/** An axis as configs count it, with the batch or from the end, counted without the batch. */
export const axisAt = (axis: number, rank: number): number => (axis < 0 ? rank + axis : axis - 1);

export const reads = (labels: Int32Array): WeightAxis => ({ role: 'reads', labels });
export const makes = (labels: Int32Array): WeightAxis => ({ role: 'makes', labels });
export const along = (labels: Int32Array): WeightAxis => ({ role: 'along', labels });

/** Activations that make of each value one of its own. */
const alone: ReadonlySet<unknown> = new Set([
  ...['linear', 'relu', 'relu6', 'elu', 'selu', 'gelu', 'gelu_new', 'swish', 'mish'],
  ...['sigmoid', 'hardSigmoid', 'tanh', 'softplus', 'softsign'],
]);

/** Says so if one of the layer's own activations mixes its units, or may. */
export function markActivations(
  { layer, config, markInexact }: Pick<LayerCall, 'layer' | 'config' | 'markInexact'>,
  units: Labels,
): void {
  for (const activation of [config.activation, config.recurrentActivation]) {
    if (activation === undefined || activation === null || alone.has(activation)) continue;
    const isSoftmax = activation === 'softmax' || activation === 'logSoftmax';
    const reason = isSoftmax
      ? softmaxReason(layer.name)
      : `the activation ${activation} of ${layer.name} is not known to leave units apart`;
    markInexact(units, reason);
  }
}

/** What a layer without an activation adds last is its bias. */
export const addsBias = ({ config }: Pick<LayerCall, 'config'>): Pick<LayerLabels, 'adds'> =>
  config.activation === 'linear' ? { adds: 'bias' } : {};

/** Softmax divides by a sum over all units, so the ones that stay change when others go. */
export const softmaxReason = (name: string): string =>
  `the softmax of ${name} is normalised over the units: without some of them the others grow`;

/** All labels in a row, `times` times. */
export function tile(labels: Int32Array, times: number): Int32Array {
  const tiled = new Int32Array(labels.length * times);
  for (let i = 0; i < times; i++) tiled.set(labels, i * labels.length);
  return tiled;
}

/** Each label `times` times in a row. */
export function repeatEach(labels: Int32Array, times: number): Int32Array {
  const repeated = new Int32Array(labels.length * times);
  for (let i = 0; i < repeated.length; i++) repeated[i] = labels[Math.floor(i / times)]!;
  return repeated;
}
