import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { useEngine } from '../index.ts';

const optimizers: Record<string, () => tf.Optimizer> = {
  sgd: () => tf.train.sgd(0.1),
  momentum: () => tf.train.momentum(0.05, 0.9),
  'momentum, nesterov': () => tf.train.momentum(0.05, 0.9, true),
  rmsprop: () => tf.train.rmsprop(0.01),
  'rmsprop with momentum, centered': () => tf.train.rmsprop(0.01, 0.8, 0.5, 1e-9, true),
  adam: () => tf.train.adam(0.02),
  'adam, other settings': () => tf.train.adam(0.01, 0.8, 0.95, 1e-4),
  adamax: () => tf.train.adamax(0.01, 0.9, 0.99, 1e-7, 0.1),
  adagrad: () => tf.train.adagrad(0.1),
  adadelta: () => tf.train.adadelta(0.5, 0.9, 1e-4),
};

type Fields = Record<string, { originalName: string; variable: tf.Variable }[]>;

/** The slots of an optimizer by name; the variables' own names differ from run to run. */
async function slotsOf(optimizer: tf.Optimizer): Promise<Record<string, Float32Array>> {
  const found: Record<string, Float32Array> = {};
  for (const slots of Object.values(optimizer as unknown as Fields)) {
    if (!Array.isArray(slots)) continue;
    for (const [i, { originalName, variable }] of slots.entries())
      found[`${i} ${originalName.split('/').at(-1)}`] = (await variable.data()) as Float32Array;
  }
  return found;
}

/** Some steps down a slope that no two entries share; the second variable has no gradient. */
async function train(
  optimizer: tf.Optimizer,
  steps = 20,
  between: (step: number) => Promise<void> = async () => {},
): Promise<{ weights: Float32Array; slots: Record<string, Float32Array>; iterations: number }> {
  const start = Float32Array.from({ length: 30 }, (_, i) => Math.sin(i * 1.7));
  const w = tf.tidy(() => tf.variable(tf.tensor(start, [5, 6])));
  const idle = tf.tidy(() => tf.variable(tf.ones([2])));
  const x = tf.tensor(
    Float32Array.from({ length: 20 }, (_, i) => Math.cos(i)),
    [4, 5],
  );
  for (let step = 0; step < steps; step++) {
    const { grads, value } = tf.variableGrads(
      () => tf.sum(tf.square(tf.tanh(tf.matMul(x, w)))) as tf.Scalar,
      [w],
    );
    const named = [{ name: w.name, tensor: grads[w.name]! }];
    optimizer.applyGradients([...named, { name: idle.name, tensor: undefined as unknown as tf.Tensor }]);
    tf.dispose([grads, value]);
    await between(step);
  }
  const result = {
    weights: (await w.data()) as Float32Array,
    slots: await slotsOf(optimizer),
    iterations: optimizer.iterations,
  };
  expect(await idle.data()).toEqual(Float32Array.of(1, 1));
  tf.dispose([w, idle, x]);
  return result;
}

// Taken before useEngine is called.
const originals = new Map(
  [
    tf.SGDOptimizer,
    tf.MomentumOptimizer,
    tf.RMSPropOptimizer,
    tf.AdamOptimizer,
    tf.AdamaxOptimizer,
    tf.AdagradOptimizer,
    tf.AdadeltaOptimizer,
  ].map(({ prototype }) => [prototype, prototype.applyGradients]),
);

/** The same optimizer with tf.train's own steps. */
function shipped(make: () => tf.Optimizer): tf.Optimizer {
  const optimizer = make();
  optimizer.applyGradients = originals.get(Object.getPrototypeOf(optimizer))!;
  return optimizer;
}

function expectClose(actual: Float32Array, expected: Float32Array, tolerance = 1e-6): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((v, i) => {
    expect(Math.abs(v - expected[i]!)).toBeLessThan(tolerance * Math.max(1, Math.abs(expected[i]!)));
  });
}

beforeAll(async () => {
  await useEngine('wasm');
});

describe.each(Object.entries(optimizers))('%s, fused', (_, make) => {
  it('makes the steps that tf.train makes, and keeps the same state', async () => {
    const [actual, expected] = [await train(make()), await train(shipped(make))];
    expectClose(actual.weights, expected.weights);
    expect(Object.keys(actual.slots)).toEqual(Object.keys(expected.slots));
    for (const [name, slot] of Object.entries(expected.slots)) expectClose(actual.slots[name]!, slot);
    expect(actual.iterations).toBe(20);
  });

  it('goes on where tf.train stopped, on another engine too', async () => {
    const [mixed, expected] = [make(), await train(shipped(make))];
    const own = originals.get(Object.getPrototypeOf(mixed))!;
    const actual = await train(mixed, 20, async (step) => {
      if (step === 4) mixed.applyGradients = own;
      if (step === 9) await tf.setBackend('cpu');
      if (step === 12) await tf.setBackend('wasm');
      if (step === 14) Reflect.deleteProperty(mixed, 'applyGradients');
    });
    // The gradients of the engines differ in the last digits, which some optimizers amplify.
    expectClose(actual.weights, expected.weights, 3e-4);
  });

  it('leaks nothing', async () => {
    await train(make(), 1);
    const optimizer = make();
    const after: object[] = [];
    await train(optimizer, 6, async (step) => {
      if (step > 0) after.push({ ...tf.memory(), ids: tf.engine().backend.numDataIds() });
    });
    expect(new Set(after.map((memory) => JSON.stringify(memory))).size).toBe(1);
  });
});

describe('a fused optimizer', () => {
  it('leaves clones of its state and of the weights alone', async () => {
    const optimizer = tf.train.adam(0.1);
    const clones: tf.Tensor[] = [];
    const before: ArrayLike<number>[] = [];
    await train(optimizer, 3, async (step) => {
      if (step > 0) return;
      const { accumulatedFirstMoment, accBeta1 } = optimizer as unknown as {
        accumulatedFirstMoment: { variable: tf.Variable }[];
        accBeta1: tf.Variable;
      };
      clones.push(tf.clone(accumulatedFirstMoment[0]!.variable), tf.clone(accBeta1));
      before.push(...clones.map((clone) => clone.dataSync()));
    });
    clones.forEach((clone, i) => {
      expect(clone.dataSync()).toEqual(before[i]);
    });
    tf.dispose(clones);
  });

  it('can be saved and loaded', async () => {
    const [first, second] = [tf.train.adam(0.02), tf.train.adam(0.02)];
    await train(first, 5);
    await second.setWeights(await first.getWeights());
    expect((await second.getWeights()).map(({ name }) => name)).toEqual(
      (await first.getWeights()).map(({ name }) => name),
    );
    const [one, other] = [await train(first, 5), await train(second, 5)];
    expectClose(other.weights, one.weights);
  });

  it('is seen by who wraps applyGradients on the instance, and multiplies by the new weights', async () => {
    const optimizer = tf.train.sgd(1);
    const apply = optimizer.applyGradients.bind(optimizer);
    const seen: string[] = [];
    optimizer.applyGradients = (gradients) => {
      seen.push(...Object.keys(gradients));
      apply(gradients);
    };
    const w = tf.tidy(() => tf.variable(tf.tensor([[1, 2], [3, 4]]))); // biome-ignore format: a matrix
    const x = tf.tensor([[1, 0]]);
    for (const expected of [
      [0, 1],
      [-1, 0],
    ]) {
      // biome-ignore format: rows
      optimizer.minimize(() => tf.sum(tf.matMul(x, w)), false, undefined);
      expect(Array.from(tf.tidy(() => tf.matMul(x, w).dataSync()))).toEqual(expected);
    }
    expect(seen).toEqual([w.name, w.name]);
    tf.dispose([w, x]);
  });

  it('runs as shipped, and says so once, where its private fields have changed', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const make = (): tf.Optimizer => {
      const optimizer = tf.train.adagrad(0.1);
      Object.defineProperty(optimizer, 'learningRate', { value: { valueOf: () => 0.1 } });
      return optimizer;
    };
    const [actual, expected] = [await train(make()), await train(shipped(make))];
    expect(actual.weights).toEqual(expected.weights);
    await train(make());
    expect(warn.mock.calls).toEqual([[expect.stringContaining('Adagrad without its field learningRate')]]);
    warn.mockRestore();
  });
});
