import { expand, type Labels, positionsOf, spread, transpose } from '../labels.ts';
import { type LayerRule, registerLayer } from '../rule.ts';

/** The class that stands in for a Flatten of which only some features stay. */
export const SELECTION_CLASS = 'FeatureSelection';

/** The label of each flattened position, in the order in which the layer lays them out. */
function flattenedLabels(input: Labels, dataFormat: unknown): Int32Array {
  const axes = Array.from(input.shape.keys());
  const laidOut =
    dataFormat === 'channelsFirst' && axes.length > 1 ? transpose(input, [...axes.slice(1), 0]) : input;
  return expand(laidOut, laidOut.shape).data;
}

/**
 * Gives each flattened feature a label of its own, so that one may go while its channel stays: the layer
 * is then a FeatureSelection, which flattens and picks `indices`.
 */
const flatten: LayerRule = {
  trace({ config, inputs, makeFeatures }) {
    const positions = flattenedLabels(inputs[0]!, config.dataFormat);
    const indices = (config.indices as readonly number[] | undefined) ?? Array.from(positions.keys());
    const channels = Int32Array.from(indices, (index) => positions[index]!);
    const output = makeFeatures(spread(channels, [channels.length], 0));
    return {
      outputs: [output],
      className: (kept) => (kept(output.data).length < kept(positions).length ? SELECTION_CLASS : undefined),
      config: (kept) => {
        const present = kept(positions);
        const staying = new Set(kept(output.data).map((feature) => indices[feature]!));
        if (staying.size === present.length) return {};
        return { indices: present.flatMap((position, now) => (staying.has(position) ? [now] : [])) };
      },
    };
  },
};

/** TensorFlow.js leaves a target of -1 unknown until it sees data; the rest of the shape says what it is. */
function knownShape(
  shape: readonly number[],
  target: readonly (number | null)[],
  positions: number,
): readonly number[] {
  const known = positionsOf(target.map((n) => (n === null || n < 0 ? 1 : n)));
  return shape.map((n, axis) => {
    const wanted = target[axis];
    return wanted === null || wanted === undefined || wanted < 0 ? positions / known : n;
  });
}

/** The last axis of the result carries the units; where others would, they are tied together. */
const reshape: LayerRule = {
  trace({ config, inputs, outputShapes, along }) {
    const [input] = inputs;
    const target = config.targetShape as readonly (number | null)[];
    const shape = knownShape(outputShapes[0]!, target, positionsOf(input!.shape));
    const last = shape.length - 1;
    const varying = input!.dims.flatMap((n, axis) => (n === 1 ? [] : [axis]));
    const inner = input!.shape.length - 1;
    const keepsChannels = input!.shape[inner] === shape[last] && varying.every((axis) => axis === inner);
    const labels = keepsChannels
      ? along(input!, inner)
      : along({ shape, dims: shape, data: expand(input!, input!.shape).data }, last);
    return {
      outputs: [spread(labels, shape, last)],
      config: (kept) => ({
        targetShape: target.map((n, axis) =>
          axis === last && n !== null && n >= 0 ? kept(labels).length : n,
        ),
      }),
    };
  },
};

const permute: LayerRule = {
  trace: ({ config, inputs }) => ({
    outputs: [
      transpose(
        inputs[0]!,
        (config.dims as readonly number[]).map((axis) => axis - 1),
      ),
    ],
  }),
};

registerLayer('Flatten', flatten);
registerLayer(SELECTION_CLASS, flatten);
registerLayer('Reshape', reshape);
registerLayer('Permute', permute);
