import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model as modelOf, type Shape } from '@tensorflow/tfjs-layers';
import { expect, it } from 'vitest';
import type { Layer } from '../graph/rule.ts';
import { on } from '../test-models/chain.ts';
import { type Capture, tap } from './taps.ts';

/** Hands errors on as they come: the very tensors. */
class Through extends layers.Layer {
  static className = 'Through';
  readonly #through = tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor]);
    return { value: (x as tf.Tensor).clone(), gradFunc: (dy: tf.Tensor) => dy };
  });

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return this.#through(Array.isArray(inputs) ? inputs[0]! : inputs);
  }
}

/** x * 2 by two ways that hand errors on, which are added up where they meet. */
function twice() {
  const source = input({ shape: [2] });
  const [from] = on(layers.dense({ units: 2, kernelInitializer: 'identity' }), source);
  const ways = [new Through({}), new Through({})];
  const [sum] = on(layers.add(), ...ways.flatMap((way) => on(way, from!)));
  return { model: modelOf({ inputs: source, outputs: sum! }), ways: ways as unknown as Layer[] };
}

it('errors outlive the pass that brought them, whoever hands them on, and change no gradient', () => {
  const { model, ways } = twice();
  const x = tf.tensor2d([[1, -2]]);
  const slopes = () =>
    tf.variableGrads(() => tf.sum(tf.square(model.apply(x, { training: true }) as tf.Tensor)) as tf.Scalar);
  const plain = slopes();
  const before = tf.memory().numTensors;
  const captures: Capture[] = [];
  const untap = ways.map((layer) =>
    tap(layer, {
      side: 'output',
      when: 'always',
      values: false,
      errors: true,
      captured: (capture) => captures.push(capture),
    }),
  );
  const heard = slopes();
  for (const end of untap) end();
  // d (2x)²/d(2x)
  expect(captures.map(({ error }) => error!.arraySync())).toEqual([[[4, -8]], [[4, -8]]]);
  expect(Object.values(heard.grads).map((grad) => grad.arraySync())).toEqual(
    Object.values(plain.grads).map((grad) => grad.arraySync()),
  );
  tf.dispose([captures.map(({ error }) => error!), heard.value, heard.grads]);
  expect(tf.memory().numTensors).toBe(before);
  tf.dispose([x, plain.value, plain.grads]);
  model.dispose();
});

it('an error that somebody gave is not taken away', () => {
  const { ways } = twice();
  const captures: Capture[] = [];
  const untap = tap(ways[0]!, {
    side: 'output',
    when: 'always',
    values: false,
    errors: true,
    captured: (capture) => captures.push(capture),
  });
  const [x, dy] = [tf.tensor2d([[1, -2]]), tf.tensor2d([[3, 5]])];
  const slope = tf.grad((at) => ways[0]!.call(at, {}) as tf.Tensor)(x, dy);
  untap();
  tf.dispose(captures.map(({ error }) => error!));
  expect(dy.arraySync()).toEqual([[3, 5]]);
  expect(slope.arraySync()).toEqual([[3, 5]]);
  tf.dispose([x, dy, slope]);
});

/** Adds two, and hands both of them the very same error. */
class Sum extends layers.Layer {
  static className = 'Sum';
  readonly #sum = tf.customGrad((a, b) => ({
    value: tf.add(a as tf.Tensor, b as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => [dy, dy],
  }));

  override computeOutputShape([shape]: Shape[]): Shape {
    return shape!;
  }

  override call([a, b]: tf.Tensor[]): tf.Tensor {
    return this.#sum(a!, b!);
  }
}

it('an error that somebody hands to two is not taken away with the other’s', async () => {
  const source = input({ shape: [2] });
  const dense = () => layers.dense({ units: 2, kernelInitializer: 'identity' });
  const [skipped] = on(dense(), source);
  const way = dense();
  // the skip's error is added to the way's own, and goes
  const [sum] = on(new Sum({}), on(way, on(dense(), skipped!)[0]!)[0]!, skipped!);
  const model = modelOf({ inputs: source, outputs: sum! });
  const captures: Capture[] = [];
  const untap = tap(way as unknown as Layer, {
    side: 'output',
    when: 'always',
    values: false,
    errors: true,
    captured: (capture) => captures.push(capture),
  });
  const x = tf.tensor2d([[1, -2]]);
  const before = tf.memory().numTensors;
  const heard = tf.variableGrads(
    () => tf.sum(tf.square(model.apply(x, { training: true }) as tf.Tensor)) as tf.Scalar,
  );
  untap();
  // d (2x)²/d(2x)
  expect(captures.map(({ error }) => error!.arraySync())).toEqual([[[4, -8]]]);
  tf.dispose([captures.map(({ error }) => error!), heard.value, heard.grads]);
  expect(tf.memory().numTensors).toBe(before);
  x.dispose();
  model.dispose();
});
