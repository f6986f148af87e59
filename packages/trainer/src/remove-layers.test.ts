import { glyphs, toTensors } from '@espalier/datasets';
import { useEngine } from '@espalier/engine';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { disposeModel, evaluate, type LayerEvent, removeLayers, train } from './index.ts';

const { dense } = tfl.layers;
const draw = (seed: number) => tfl.initializers.glorotNormal({ seed });

/** Hidden layers of so many units, and what they make of 16 features. */
function network(...units: readonly number[]): tfl.LayersModel {
  const hidden = units.map((count, i) =>
    dense({
      name: `d${i + 1}`,
      units: count,
      activation: 'relu',
      kernelInitializer: draw(i),
      ...(i === 0 && { inputShape: [16] }),
    }),
  );
  const logits = dense({ name: 'out', units: 10, activation: 'softmax', kernelInitializer: draw(9) });
  const model = tfl.sequential({ layers: [...hidden, logits] });
  model.compile({ optimizer: tf.train.adam(0.005), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

function digits() {
  const drawn = glyphs({ as: 'features', rows: 1500, seed: 1 });
  return { train: toTensors(drawn, 'train'), validation: toTensors(drawn, 'validation') };
}

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

describe('removeLayers', () => {
  it('takes layers off a trained network while accuracy stays within the loss', async () => {
    const data = digits();
    const model = network(30, 20, 20);
    await train(model, data, { epochs: 12, batchSize: 32, seed: 1 });
    const before = await evaluate(model, data.validation);
    expect(before.accuracy).toBeGreaterThan(0.8);
    const heard: LayerEvent[] = [];
    const result = await removeLayers(model, data, {
      maxLoss: 0.03,
      onEvent: (event) => void heard.push(event),
    });
    const { events } = result;
    expect(heard).toEqual(events);
    const after = await evaluate(result.model, data.validation);
    expect(before.accuracy - after.accuracy).toBeLessThanOrEqual(0.03);

    const taken = events.filter((event) => event.taken);
    expect(taken.length).toBeGreaterThan(0);
    expect(result.model.layers).toHaveLength(4 - taken.length);
    expect(taken.at(-1)!.accuracy).toBeCloseTo(after.accuracy, 6);
    expect(taken.at(-1)!.after.params).toBe(result.model.countParams());
    expect(events.every(({ baseline }) => Math.abs(baseline - before.accuracy) < 1e-9)).toBe(true);
    for (const { round, accuracy } of taken) {
      const others = events.filter((event) => event.round === round);
      expect(accuracy, 'the cheapest of its round').toBe(Math.max(...others.map((event) => event.accuracy)));
    }
    const last = events.filter(({ round }) => round === events.at(-1)!.round);
    expect(last.every((event) => !event.taken && before.accuracy - event.accuracy > 0.03)).toBe(true);
    expect(await evaluate(model, data.validation), 'the given model stays').toEqual(before);
    for (const one of new Set([model, result.model])) disposeModel(one);
    tf.dispose([data.train.x, data.train.y, data.validation.x, data.validation.y]);
  });

  it('measures what training makes of each, if it is told how to train', async () => {
    const data = digits();
    const model = network(12, 12);
    const trained: string[] = [];
    const fineTune = async (one: tfl.LayersModel) => {
      trained.push(one.layers.map(({ name }) => name).join());
      await one.fit(data.train.x, data.train.y, { epochs: 3, batchSize: 32, verbose: 0, shuffle: false });
    };
    const options = { maxLoss: 0, layers: ['d2'], fineTune };
    const result = await removeLayers(model, data, options);
    expect(trained).toEqual(['d1,out']);
    // the given network was not trained at all
    expect(result.events).toMatchObject([{ layer: 'd2', goes: ['d2'], taken: true }]);
    expect(result.model.layers.map(({ name }) => name)).toEqual(['d1', 'out']);
    for (const one of [model, result.model]) disposeModel(one);
    tf.dispose([data.train.x, data.train.y, data.validation.x, data.validation.y]);
  });

  it('tries no layer that should stay', async () => {
    const data = digits();
    const model = network(12, 12);
    const result = await removeLayers(model, data, { maxLoss: 1, keep: ['*1'] });
    expect(result.events.map(({ layer }) => layer)).toEqual(['d2']);
    expect(result.model.layers.map(({ name }) => name)).toEqual(['d1', 'out']);
    for (const one of [model, result.model]) disposeModel(one);
    tf.dispose([data.train.x, data.train.y, data.validation.x, data.validation.y]);
  });

  it('refuses what makes no sense, and leaves nothing behind when somebody fails', async () => {
    const data = digits();
    const model = network(8, 8);
    const refused = (options: Parameters<typeof removeLayers>[2], given: object = data) =>
      expect(removeLayers(model, given as typeof data, options)).rejects;
    await refused({ maxLoss: 2 }).toThrow('[trainer] maxLoss must be a share of the accuracy, 0 to 1, got 2');
    await refused({ maxLoss: 0.1 }, { train: data.train }).toThrow('give data.validation');
    await refused({ maxLoss: 0.1, layers: ['out'] }).toThrow(
      "layers names 'out', which can't go (the model puts it out): of this model can go d1, d2",
    );
    await refused({ maxLoss: 0.1, layers: ['d9'] }).toThrow('there is none of that name');
    await refused({ maxLoss: 0.1, keep: ['d9'] }).toThrow("keep names 'd9', which is no layer of this model");
    const fail = async () => {
      throw new Error('no');
    };
    await refused({ maxLoss: 1, fineTune: fail }).toThrow('no');
    await refused({ maxLoss: 1, onEvent: fail }).toThrow('no');
    disposeModel(model);
    tf.dispose([data.train.x, data.train.y, data.validation.x, data.validation.y]);
  });
});
