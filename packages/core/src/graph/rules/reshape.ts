import { expand, keptLengths, type Labels, positionsOf, spread, transpose, varyingAxes } from '../labels.ts';
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
        // a selection stays one, though all that is left is picked
        if (config.indices === undefined && staying.size === present.length) return {};
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

/**
 * Units that stand along the last axis stay there if that axis stays. Else each position keeps its own, and by
 * which axis of the result the layer can be cut is for those who read it to say; the last one if nobody does.
 */
const reshape: LayerRule = {
  trace({ config, inputs, outputShapes, along, keepBox }) {
    const [input] = inputs;
    const target = config.targetShape as readonly (number | null)[];
    const shape = knownShape(outputShapes[0]!, target, positionsOf(input!.shape));
    const last = shape.length - 1;
    const inner = input!.shape.length - 1;
    const keepsChannels =
      input!.shape[inner] === shape[last] && varyingAxes(input!).every((axis) => axis === inner);
    const output = keepsChannels
      ? spread(along(input!, inner), shape, last)
      : { shape, dims: shape, data: expand(input!, input!.shape).data };
    if (!keepsChannels) keepBox(output, last);
    return {
      outputs: [output],
      config: (kept) => {
        const lengths = keptLengths(output, kept(output.data));
        return { targetShape: target.map((n, axis) => (n !== null && n >= 0 ? lengths[axis]! : n)) };
      },
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

const repeatVector: LayerRule = {
  trace: ({ inputs, outputShapes, along }) => ({
    outputs: [spread(along(inputs[0]!, 0), outputShapes[0]!, 1)],
  }),
};

registerLayer('Flatten', flatten);
registerLayer(SELECTION_CLASS, flatten);
registerLayer('Reshape', reshape);
registerLayer('Permute', permute);
registerLayer('RepeatVector', repeatVector);
