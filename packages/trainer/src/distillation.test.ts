import { lossFunctionsOf, oneShot, type Pruner } from '@espalier/core';
import { useEngine } from '@espalier/engine';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { distilled } from './distillation.ts';
import { disposeModel, evaluate, type TrainOptions, train } from './index.ts';

beforeAll(async () => {
  if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
});

const softmax = (logits: readonly number[], temperature = 1): number[] => {
  const most = Math.max(...logits);
  const raised = logits.map((logit) => Math.exp((logit - most) / temperature));
  const total = raised.reduce((a, b) => a + b);
  return raised.map((one) => one / total);
};

/** alpha T^2 sum(q log(q / p_T)) - (1 - alpha) log p of the target. */
const byHand = (teacher: number[], student: number[], target: number, T: number, alpha: number): number => {
  const [q, p] = [softmax(teacher, T), softmax(student, T)];
  const divergence = q.reduce((sum, one, i) => sum + one * Math.log(one / p[i]!), 0);
  return alpha * T ** 2 * divergence - (1 - alpha) * Math.log(softmax(student)[target]!);
};

const crossEntropy = (targets: tf.Tensor, outputs: tf.Tensor): tf.Tensor =>
  tf.neg(tf.sum(tf.mul(targets, tf.log(tf.maximum(outputs, 1e-7))), -1));

const teacher = [2, 0.5, -6];
const student = [-1, 1.5, 0.2];
const settings = [
  { temperature: 1, weight: 1 },
  { temperature: 4, weight: 0.9 },
  { temperature: 2.5, weight: 0.3 },
  { temperature: 3, weight: 0 },
];

describe('the loss of a distillation', () => {
  /** For target 2, of which the teacher thinks little. */
  const lossOf = (logits: tf.Tensor, { temperature, weight }: (typeof settings)[number]): tf.Scalar => {
    const targets = tf.tensor2d([[0, 0, 1]]);
    const both = tf.add(tf.mul(targets, 2), tf.tensor2d([softmax(teacher, temperature)]));
    return tf.sum(distilled(crossEntropy, { temperature, weight })(both, tf.softmax(logits)));
  };

  it.each(settings)('is that of the paper: %j', async (setting) => {
    const loss = tf.tidy(() => lossOf(tf.tensor2d([student]), setting));
    const wanted = byHand(teacher, student, 2, setting.temperature, setting.weight);
    expect((await loss.data())[0]).toBeCloseTo(wanted, 4);
    loss.dispose();
  });

  it.each(settings)('has the gradient of finite differences, and of the paper: %j', async (setting) => {
    const { temperature: T, weight } = setting;
    const gradient = tf.tidy(() => tf.grad((logits) => lossOf(logits, setting))(tf.tensor2d([student])));
    const found = Array.from(await gradient.data());
    gradient.dispose();
    const step = 1e-5;
    const at = (i: number, by: number) => student.map((logit, j) => (i === j ? logit + by : logit));
    const [q, p, hard] = [softmax(teacher, T), softmax(student, T), softmax(student)];
    for (const i of student.keys()) {
      const rise = byHand(teacher, at(i, step), 2, T, weight) - byHand(teacher, at(i, -step), 2, T, weight);
      expect(found[i]).toBeCloseTo(rise / (2 * step), 4);
      // equation 2, with the T^2 of the text: alpha T (p_T - q) + (1 - alpha) (p - y)
      const wanted = weight * T * (p[i]! - q[i]!) + (1 - weight) * (hard[i]! - Number(i === 2));
      expect(found[i]).toBeCloseTo(wanted, 4);
    }
  });

  it('is finite where it is cold', async () => {
    const gradient = tf.tidy(() =>
      tf.grad((logits) => lossOf(logits, { temperature: 1e-3, weight: 1 }))(tf.tensor2d([student])),
    );
    const found = Array.from(await gradient.data());
    gradient.dispose();
    // alpha T (p_T - q), where each is sure of one class
    expect(found.map((value) => Math.round(value * 1e6))).toEqual([-1000, 1000, 0]);
  });

  it('is finite where a network is sure', async () => {
    const both = tf.tensor2d([[0, 3, 0]]);
    const loss = (outputs: tf.Tensor) =>
      tf.sum(distilled(crossEntropy, { temperature: 4, weight: 1 })(both, outputs));
    const gradient = tf.tidy(() => tf.grad(loss)(tf.tensor2d([[1, 0, 0]])));
    for (const value of await gradient.data()) expect(Number.isFinite(value)).toBe(true);
    tf.dispose([both, gradient]);
  });
});

function network(units: number, { activation = 'softmax' as 'softmax' | 'linear', classes = 3 } = {}) {
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({
        ...{ units, activation: 'relu', inputShape: [4], name: 'hidden' },
        kernelInitializer: tfl.initializers.glorotNormal({ seed: 3 }),
      }),
      tfl.layers.dense({
        ...{ units: classes, activation, name: 'out' },
        kernelInitializer: tfl.initializers.glorotNormal({ seed: 4 }),
      }),
    ],
  });
  const optimizer = tf.train.adam(0.02);
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

/** The class is the largest of the first three inputs. */
function examples(rows: number, seed: number) {
  return tf.tidy(() => {
    const x = tf.randomNormal([rows, 4], 0, 1, 'float32', seed);
    const y = tf.cast(tf.oneHot(tf.argMax(tf.slice(x, [0, 0], [rows, 3]), 1), 3), 'float32');
    return { x, y };
  });
}

const magnitude: Pruner = { name: 'magnitude', score: ({ incoming }) => tf.norm(incoming, 'euclidean', 0) };

describe('a training with a teacher', () => {
  const lessons = (rows: number) => ({ train: examples(rows, 1), validation: examples(200, 2) });
  const dispose = ({ train, validation }: ReturnType<typeof lessons>) =>
    tf.dispose([train.x, train.y, validation.x, validation.y]);

  it('learns what the teacher knows, whatever the targets say', async () => {
    const data = lessons(600);
    const { model: master } = await train(network(12), data, { epochs: 15 });
    const wrong = { ...data, train: { x: data.train.x, y: tf.reverse(data.train.y, 0) } };
    const accuracies: number[] = [];
    for (const weight of [0, 1]) {
      const distillation = { teacher: master, temperature: 2, weight };
      const { model } = await train(network(8), wrong, { epochs: 15, distillation });
      accuracies.push((await evaluate(model, data.validation)).accuracy);
      disposeModel(model);
    }
    expect(accuracies[0]).toBeLessThan(0.5);
    expect(accuracies[1]).toBeGreaterThan(0.9);
    disposeModel(master);
    wrong.train.y.dispose();
    dispose(data);
  });

  it('without weight trains as without a teacher, and leaves the model compiled as it was', async () => {
    const data = lessons(200);
    const [alone, taught] = [network(8), network(8)];
    const options: TrainOptions = { epochs: 2, seed: 3 };
    const plain = await train(alone, data, options);
    const loss = lossFunctionsOf(taught)![0];
    const distillation = { teacher: taught, weight: 0 };
    const { events } = await train(taught, data, { ...options, distillation });
    for (const [i, weight] of taught.getWeights().entries()) {
      const wanted = await alone.getWeights()[i]!.data();
      for (const [j, value] of (await weight.data()).entries()) expect(value).toBeCloseTo(wanted[j]!, 5);
    }
    for (const [i, event] of events.entries()) {
      const before = plain.events[i]!;
      if (event.type !== 'epoch' || before.type !== 'epoch') throw new Error('only epochs');
      for (const key of ['loss', 'accuracy', 'valLoss', 'valAccuracy'] as const)
        expect(event[key], key).toBeCloseTo(before[key]!, 5);
    }
    expect(lossFunctionsOf(taught)![0]).toBe(loss);
    expect(taught.loss).toBe('categoricalCrossentropy');
    disposeModel(alone);
    disposeModel(taught);
    dispose(data);
  });

  it('goes through a pruning, with the model as its own teacher, and leaks nothing', async () => {
    const data = lessons(200);
    const before = tf.memory().numTensors;
    const model = network(8);
    const pruning = { pruner: magnitude, budget: { params: 0.5 }, schedule: oneShot({ after: 0.5 }) };
    const distillation = { teacher: model };
    const trained = await train(model, data, { epochs: 4, pruning, distillation });
    // 8 * 5 + 8 * 3 + 3 parameters; 3 units have 27, 4 have 35
    expect(trained.model.countParams()).toBe(27);
    const cut = train(model, data, {
      ...{ epochs: 2, distillation },
      onEpochEnd: () => Promise.reject(new Error('cut off')),
    });
    await expect(cut).rejects.toThrow('cut off');

    disposeModel(trained.model);
    disposeModel(model);
    expect(tf.memory().numTensors).toBe(before);
    dispose(data);
  });

  it('refuses what can teach nothing', async () => {
    const data = lessons(20);
    const before = tf.memory().numTensors;
    const model = network(8);
    const refused = async (distillation: object, message: string, given = data) => {
      const options = { epochs: 1, distillation: { teacher: model, ...distillation } };
      await expect(train(model, given, options)).rejects.toThrow(message);
    };
    for (const temperature of [0, 1e6]) {
      const message = `[trainer] distillation.temperature must be above 0 and at most 1000, got ${temperature}`;
      await refused({ temperature }, message);
    }
    await refused({ weight: 1.5 }, 'distillation.weight must be at least 0 and at most 1, got 1.5');
    const strangers = [network(8, { activation: 'linear' }), network(8, { classes: 4 })];
    for (const teacher of strangers) {
      await refused({ teacher }, 'needs a teacher that ends in a softmax over the 3 classes of the targets');
    }
    const soft = tf.mul(data.train.y, 0.9);
    await refused({}, 'needs targets of 0 and 1', { ...data, train: { x: data.train.x, y: soft } });
    soft.dispose();
    for (const one of [model, ...strangers]) disposeModel(one);
    expect(tf.memory().numTensors).toBe(before);
    dispose(data);
  });
});
