type Json = Readonly<Record<string, unknown>>;

/** A weight as a model's manifest lists it. */
interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

/** One thing that TensorFlow.js does otherwise than a layer's config says. */
interface Fault {
  readonly kinds: RegExp;
  /** What is wrong and what to do, if it is. */
  readonly of: (config: Json, weights: readonly WeightSpec[]) => string | undefined;
}

const isChannelsFirst = ({ data_format }: Json): boolean => data_format === 'channels_first';
const PERMUTE = 'put a Permute to channels last before it, and one back behind it';

const several = (value: unknown): boolean => [value].flat().some((n) => typeof n === 'number' && n > 1);

const faults: readonly Fault[] = [
  {
    kinds: /^InputLayer$/,
    of: ({ batch_shape }) =>
      batch_shape === undefined
        ? undefined
        : 'Keras 3 saved the model, which TensorFlow.js fails to read: save it with Keras 2 (the package tf_keras, with ' +
          'TF_USE_LEGACY_KERAS=1 in the environment), and convert that',
  },
  {
    kinds: /^Conv\d/,
    of: ({ groups }) =>
      several(groups)
        ? `TensorFlow.js ignores groups (${groups}) and convolves over all channels: make it as many convolutions, ` +
          'each of its own channels, and concatenate them (or a DepthwiseConv2D if each channel is a group)'
        : undefined,
  },
  {
    kinds: /^Conv1D$/,
    of: ({ padding }) =>
      padding === 'causal'
        ? "TensorFlow.js has no causal convolution and fails when the model runs: pad the start, with padding 'valid'"
        : undefined,
  },
  {
    kinds: /^(Conv|MaxPooling|AveragePooling|GlobalMaxPooling|GlobalAveragePooling)1D$/,
    of: (config) =>
      isChannelsFirst(config)
        ? `TensorFlow.js takes the channels of a sequence as the last axis whatever data_format says: ${PERMUTE}`
        : undefined,
  },
  {
    kinds: /^SeparableConv2D$/,
    of: (config) =>
      isChannelsFirst(config) && config.use_bias !== false
        ? `TensorFlow.js adds the bias along another axis if the channels are first: ${PERMUTE}`
        : undefined,
  },
  {
    kinds: /^Conv[23]DTranspose$/,
    of: ({ output_padding, dilation_rate }) =>
      [output_padding].flat().some((n) => typeof n === 'number') || several(dilation_rate)
        ? 'TensorFlow.js ignores output_padding and dilation_rate of transposed convolutions: do without them, and pad ' +
          'or crop what comes out'
        : undefined,
  },
  {
    kinds: /^ReLU$/,
    of: ({ negative_slope, threshold }) =>
      negative_slope || threshold
        ? 'TensorFlow.js ignores negative_slope and threshold: use a LeakyReLU or a ThresholdedReLU'
        : undefined,
  },
  {
    kinds: /^(RNN|SimpleRNN|GRU|LSTM)$/,
    of: ({ time_major }) =>
      time_major === true
        ? 'TensorFlow.js ignores time_major and takes the batch as the first axis: save the model without it'
        : undefined,
  },
  {
    kinds: /^Bidirectional$/,
    of: ({ layer, backward_layer }) =>
      isJson(backward_layer) && !isSameLayer(layer, backward_layer)
        ? 'TensorFlow.js ignores backward_layer and makes a second one of layer: use two layers, one of them with ' +
          'go_backwards, and merge what they put out'
        : undefined,
  },
  {
    kinds: /^DepthwiseConv2D$/,
    of: (config) =>
      several(config.dilation_rate)
        ? 'TensorFlow.js ignores dilation_rate: put the zeros between its entries into the kernel'
        : undefined,
  },
  {
    kinds: /^DepthwiseConv2D$/,
    of: (config) =>
      (config.depthwise_constraint as Json | null)?.class_name === 'L1L2'
        ? 'TensorFlow.js saved its depthwise_regularizer as depthwise_constraint, too: set that to null in model.json'
        : undefined,
  },
  {
    kinds: /^SeparableConv/,
    of: (config, weights) => {
      const multiplier = weights.find(({ name }) => name.endsWith('depthwise_kernel'))?.shape.at(-1) ?? 1;
      return multiplier === (config.depth_multiplier ?? 1)
        ? undefined
        : 'TensorFlow.js leaves depth_multiplier out when it saves the layer: add ' +
            `"depth_multiplier": ${multiplier} to its config in model.json`;
    },
  },
  {
    kinds: /^Global/,
    of: ({ keepdims }) =>
      keepdims === true
        ? 'TensorFlow.js ignores keepdims: put a Reshape to [1, 1, channels] behind it ([1, channels] for sequences)'
        : undefined,
  },
  {
    kinds: /^GRU/,
    of: (config) =>
      config.reset_after === true
        ? 'TensorFlow.js has no GRU that resets after the product: train it with reset_after=False'
        : undefined,
  },
];

/**
 * Where TensorFlow.js would not compute what a saved model says: it ignores what it does not know, and the layers
 * it makes do not remember. To be asked before a model is loaded.
 *
 * @param topology `modelTopology` of a model.json.
 * @param weights The entries of its weights manifest.
 * @returns One sentence for each fault, with the layer's name and what to do about it.
 */
export function faultsOf(topology: unknown, weights: readonly WeightSpec[] = []): string[] {
  if (typeof topology !== 'object' || topology === null) return [];
  const { class_name: kind, config } = topology as Json;
  const own = typeof kind === 'string' && isJson(config) ? faultsOfLayer(kind, config, weights) : [];
  return [...own, ...Object.values(topology).flatMap((value) => faultsOf(value, weights))];
}

/** Whether two layers are the same but for their names and directions. */
const isSameLayer = (...layers: readonly unknown[]): boolean => {
  const hasNoPart = (field: string): boolean => field === 'name' || field === 'go_backwards';
  const said = layers.map((layer) =>
    JSON.stringify(layer, (field, value) => (hasNoPart(field) ? undefined : value)),
  );
  return said[0] === said[1];
};

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null;

function faultsOfLayer(kind: string, config: Json, weights: readonly WeightSpec[]): string[] {
  const name = String(config.name);
  const own = weights.filter((weight) => `/${weight.name}`.includes(`/${name}/`));
  return faults.flatMap(({ kinds, of }) => {
    const fault = kinds.test(kind) ? of(config, own) : undefined;
    return fault === undefined ? [] : [`${name}: ${fault}`];
  });
}
