import { analyze, oneShot, type Pruner, plan } from '@espalier/core';
import { useEngine } from '@espalier/engine';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { carryOut, disposeModel, type PruneEvent, train } from './index.ts';

/** All units of `middle` have low scores, and none of the others. */
const middle: Pruner = {
  name: 'middle',
  score: ({ group, bias }) => (group === 'middle' ? tf.zerosLike(bias) : tf.onesLike(bias)),
};
const pruning = { pruner: middle, budget: { threshold: 0.5 }, wholeLayers: true };

function network(): tfl.LayersModel {
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 6, activation: 'relu', inputShape: [4], name: 'first' }),
      tfl.layers.dense({ units: 5, activation: 'relu', name: 'middle' }),
      tfl.layers.dense({ units: 3, activation: 'softmax', name: 'out' }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

const examples = () => {
  const x = tf.randomNormal([64, 4], 0, 1, 'float32', 1);
  const y = tf.tidy(() => tf.cast(tf.oneHot(tf.argMax(tf.slice(x, [0, 0], [-1, 3]), 1), 3), 'float32'));
  return { x, y };
};

const names = (model: tfl.LayersModel) => model.layers.map(({ name }) => name);

let tensors = 0;
beforeAll(async () => {
  await useEngine('wasm');
});
beforeEach(() => {
  tensors = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors, 'tensors').toBe(tensors);
});

describe('carryOut', () => {
  it('removes the layers of which a plan spared one unit, and joins their neighbours', async () => {
    const [model, { x, y }] = [network(), examples()];
    const made = await plan(model, pruning);
    expect(made.spared).toEqual(['middle']);
    await expect(carryOut(model, made)).rejects.toThrow('depends on data');
    const { model: small, joined } = await carryOut(model, made, { x });
    expect(joined).toEqual(['middle']);
    expect(names(small)).toEqual(['first', 'out']);
    expect(names(model), 'the given model stays').toHaveLength(3);
    for (const one of [model, small]) disposeModel(one);
    tf.dispose([x, y]);
  });

  it('is what a training does between two epochs', async () => {
    const [model, data] = [network(), examples()];
    const schedule = oneShot({ after: 0.5 });
    const result = await train(
      model,
      { train: data, validation: data },
      { epochs: 4, pruning: { ...pruning, schedule } },
    );
    expect(names(result.model)).toEqual(['first', 'out']);
    const [event] = result.events.filter((one): one is PruneEvent => one.type === 'prune');
    expect(event?.groups).toEqual([{ id: 'middle', kind: 'neuron', before: 5, after: 0 }]);
    expect(event?.after).toEqual(analyze(result.model).cost);
    expect(event?.notes.at(-1)).toBe('layers that go whole, their neighbours joined: middle');
    const epochs = result.events.filter(({ type }) => type === 'epoch');
    expect(epochs).toHaveLength(4);
    for (const one of [model, result.model]) disposeModel(one);
    tf.dispose([data.x, data.y]);
  });
});
