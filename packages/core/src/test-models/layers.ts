import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { registerLayer } from '../graph/rule.ts';

const only = (inputs: tf.Tensor | tf.Tensor[]): tf.Tensor => (Array.isArray(inputs) ? inputs[0]! : inputs);

/** TensorFlow.js has no Subtract, but the rule is there for those who write one. */
export class Subtract extends layers.Layer {
  static readonly className: string = 'Subtract';
  override computeOutputShape(shapes: (number | null)[][]): (number | null)[] {
    return shapes[0]!;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [a, b] = inputs as tf.Tensor[];
    return tf.sub(a!, b!);
  }
}

/** No rule knows it. */
export class Doubling extends layers.Layer {
  static readonly className: string = 'Doubling';
  override computeOutputShape(shape: (number | null)[]): (number | null)[] {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul(only(inputs), 2);
  }
}

/** A rule for it is registered below. */
export class Swish extends layers.Layer {
  static readonly className: string = 'Swish';
  override computeOutputShape(shape: (number | null)[]): (number | null)[] {
    return shape;
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.mul(only(inputs), tf.sigmoid(only(inputs))));
  }
}

for (const layer of [Subtract, Doubling, Swish]) {
  tf.serialization.registerClass(
    layer as unknown as tf.serialization.SerializableConstructor<tf.serialization.Serializable>,
  );
}
registerLayer('Swish', { pointwise: true, trace: ({ inputs }) => ({ outputs: inputs }) });
