import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { SELECTION_CLASS } from '../graph/rules/reshape.ts';

type LayerArgs = ConstructorParameters<typeof layers.Layer>[0];

/** What a {@link FeatureSelection} layer is made of. */
export interface FeatureSelectionArgs {
  readonly name?: string;
  /** Which of the flattened features stay, ascending. */
  readonly indices: readonly number[];
  readonly dataFormat?: 'channelsFirst' | 'channelsLast';
}

/**
 * Flattens its input, [batch, ...], and picks some of the features: [batch, indices.length]. It stands in
 * for a Flatten layer whose features were pruned one by one, and is all that plain TensorFlow.js needs to
 * know to load such a model: import `@espalier/core` before `tf.loadLayersModel`.
 */
export class FeatureSelection extends layers.Layer {
  static readonly className: string = SELECTION_CLASS;
  readonly indices: readonly number[];
  readonly #dataFormat: 'channelsFirst' | 'channelsLast';

  /** @throws if an index is not a whole number of at least 0. */
  constructor(args: FeatureSelectionArgs) {
    super(args as LayerArgs);
    const { indices, dataFormat = 'channelsLast' } = args;
    const wrong = Array.isArray(indices) ? indices.find((i) => !Number.isInteger(i) || i < 0) : indices;
    if (wrong !== undefined || !Array.isArray(indices)) {
      throw new Error(`[core] ${SELECTION_CLASS} needs indices, whole numbers of at least 0, got ${wrong}`);
    }
    this.indices = indices;
    this.#dataFormat = dataFormat;
  }

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    return [inputShape[0] ?? null, this.indices.length];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const input = Array.isArray(inputs) ? inputs[0]! : inputs;
      const axes = Array.from(input.shape.keys());
      const laidOut =
        this.#dataFormat === 'channelsFirst' && axes.length > 2
          ? tf.transpose(input, [0, ...axes.slice(2), 1])
          : input;
      const flat = tf.reshape(laidOut, [input.shape[0]!, -1]);
      return tf.gather(flat, tf.tensor1d(this.indices as number[], 'int32'), 1);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), indices: [...this.indices], dataFormat: this.#dataFormat };
  }
}

tf.serialization.registerClass(
  FeatureSelection as unknown as tf.serialization.SerializableConstructor<FeatureSelection>,
);
