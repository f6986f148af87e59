import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers } from '@tensorflow/tfjs-layers';
import { spread } from '../graph/labels.ts';
import { type LayerRule, registerLayer } from '../graph/rule.ts';
import { along, axisAt } from '../graph/rules/shared.ts';

type LayerArgs = ConstructorParameters<typeof layers.Layer>[0];

/** What a {@link ChannelBias} layer is made of. */
export interface ChannelBiasArgs {
  readonly name?: string;
  /** The axis of the units, with the batch. Default -1. */
  readonly axis?: number;
}

/** The class that stands for branches that went whole. */
export const BIAS_CLASS = 'ChannelBias';

/**
 * Adds a trainable vector along one axis: y = x + b, of the input's shape. It stands in for a residual branch that
 * went with all of its units and left a constant that no other layer can take, and is all that plain TensorFlow.js
 * needs to know to load such a model: import `@espalier/core` before `tf.loadLayersModel`.
 */
export class ChannelBias extends layers.Layer {
  static readonly className: string = BIAS_CLASS;
  readonly #axis: number;

  /** @throws if the axis is not a whole number, or the batch. */
  constructor(args: ChannelBiasArgs = {}) {
    super(args as LayerArgs);
    const { axis = -1 } = args;
    if (!Number.isInteger(axis) || axis === 0) {
      throw new Error(`[core] ${BIAS_CLASS} needs an axis other than the batch's 0, got ${axis}`);
    }
    this.#axis = axis;
  }

  override build(inputShape: (number | null)[]): void {
    this.addWeight('bias', [inputShape.at(this.#axis)!], 'float32', initializers.zeros());
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: (number | null)[]): (number | null)[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const input = Array.isArray(inputs) ? inputs[0]! : inputs;
      const bias = this.weights[0]!.read();
      const axis = (this.#axis + input.rank) % input.rank;
      return tf.add(
        input,
        tf.reshape(
          bias,
          input.shape.map((_, a) => (a === axis ? -1 : 1)),
        ),
      );
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), axis: this.#axis };
  }
}

const rule: LayerRule = {
  pointwise: true,
  trace({ config, inputs, along: tied }) {
    const { shape } = inputs[0]!;
    const axis = axisAt(config.axis as number, shape.length);
    const labels = tied(inputs[0]!, axis);
    return {
      outputs: [spread(labels, shape, axis)],
      weights: { bias: { axes: [along(labels)] } },
      adds: 'bias',
    };
  },
};

registerLayer(BIAS_CLASS, rule);
tf.serialization.registerClass(
  ChannelBias as unknown as tf.serialization.SerializableConstructor<ChannelBias>,
);
