import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, describe, expect, it } from 'vitest';
import { prune } from '../callback.ts';
import { analyze } from '../graph/analyze.ts';
import { registerLayer } from '../graph/rule.ts';
import { judge } from '../plan/judge.ts';
import { plan } from '../plan/plan.ts';
import type { Pruner } from '../pruner.ts';
import { mask } from './mask.ts';
import { shrink } from './shrink.ts';

const shortest: Pruner = { name: 'shortest', score: ({ incoming }) => tf.norm(incoming, 'euclidean', 0) };
const budget = { fraction: 0.5 };

const { dense } = tfl.layers;
const hidden = (args: object = {}) =>
  dense({ units: 6, activation: 'tanh', biasInitializer: 'randomNormal', ...args });
const outputs = async (model: tfl.LayersModel, x: tf.Tensor) =>
  Array.from(await (model.predict(x) as tf.Tensor).data());
const maximum = (numbers: readonly number[]) => Math.max(...numbers.map(Math.abs));
const difference = (a: readonly number[], b: readonly number[]) =>
  maximum(a.map((value, i) => value - b[i]!));

afterEach(() => {
  tf.disposeVariables();
});

describe('shrink', () => {
  it('takes a channel that had lost a feature, after which every feature that is left is read', async () => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ filters: 3, kernelSize: 1, inputShape: [2, 2, 1], name: 'conv' }),
        tfl.layers.flatten({ name: 'flat' }),
        dense({ units: 2 }),
      ],
    });
    // the first of what there is
    const first: Pruner = { name: 'first', score: ({ bias }) => tf.range(0, bias.size) };
    const once = { pruner: first, budget: { count: 1 } };
    const selected = await shrink(model, await plan(model, { ...once, scope: ['flat'] }));
    const made = await plan(selected, { ...once, scope: ['conv'] });
    const small = await shrink(selected, made);
    expect(small.getLayer('flat').outputShape).toEqual([null, 8]);
    await mask(selected, made);
    const x = tf.randomNormal([4, 2, 2, 1], 0, 1, 'float32', 1);
    expect(difference(await outputs(small, x), await outputs(selected, x))).toBeLessThan(1e-6);
  });

  for (const [name, base] of Object.entries({
    sequential: () => tfl.sequential({ layers: [hidden({ name: 'inner', inputShape: [3] })] }),
    functional: () => {
      const x = tfl.input({ shape: [3] });
      return tfl.model({ inputs: x, outputs: hidden({ name: 'inner' }).apply(x) as tfl.SymbolicTensor });
    },
    'twice nested': () =>
      tfl.sequential({
        layers: [
          tfl.sequential({ layers: [hidden({ name: 'inner', inputShape: [3] }), hidden()] }),
          hidden(),
        ],
      }),
  })) {
    it(`takes a ${name} model that comes first in a Sequential one`, async () => {
      const model = tfl.sequential({ layers: [base(), hidden(), dense({ units: 2 })] });
      const x = tf.randomNormal([5, 3]);
      expect(analyze(model).groups[0]!.id).toMatch(/\/inner$/);
      const made = await plan(model, { pruner: shortest, budget });
      const small = await shrink(model, made);
      expect(analyze(small).cost).toEqual(made.cost.after);
      const handler = tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      });
      let saved: tf.io.ModelArtifacts = {};
      await small.save(handler);
      const loaded = await tfl.loadLayersModel(tf.io.fromMemory(saved));
      await mask(model, made);
      const masked = await outputs(model, x);
      expect(maximum(masked)).toBeGreaterThan(0.01);
      expect(difference(masked, await outputs(small, x))).toBeLessThan(1e-5);
      expect(difference(masked, await outputs(loaded, x))).toBeLessThan(1e-5);
    });
  }

  it('refuses to remove masked units that came back, until they are masked again', async () => {
    const model = tfl.sequential({
      layers: [hidden({ name: 'first', inputShape: [3] }), dense({ units: 2 })],
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const [x, y] = [tf.randomNormal([8, 3]), tf.randomNormal([8, 2])];
    const trainOn = (callbacks: tfl.Callback[]) => model.fit(x, y, { epochs: 1, verbose: 0, callbacks });
    const first = await plan(model, { pruner: shortest, budget });
    await mask(model, first);
    await shrink(model);
    await trainOn([]);
    const back = /units that were masked are read again at .*kernel: train with prune/;
    await expect(shrink(model)).rejects.toThrow(back);
    await expect(plan(model, { pruner: shortest, budget })).rejects.toThrow(back);
    await expect(judge(model, { pruners: [shortest] })).rejects.toThrow(back);
    await trainOn([prune(shortest, { budget })]);
    await shrink(model);
    await trainOn([]);
    await mask(model, first);
    expect(difference(await outputs(model, x), await outputs(await shrink(model), x))).toBeLessThan(1e-5);
  });

  it('shares nothing with the given model: either can be disposed, and the other trains on', async () => {
    const [x, y] = [tf.randomNormal([8, 3]), tf.randomNormal([8, 2])];
    for (const disposeFirst of [true, false]) {
      const model = tfl.sequential({ layers: [hidden({ inputShape: [3] }), dense({ units: 2 })] });
      model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
      await model.fit(x, y, { epochs: 1, verbose: 0 });
      const small = await shrink(model, await plan(model, { pruner: shortest, budget }));
      const [gone, left] = disposeFirst ? [model, small] : [small, model];
      gone.dispose();
      const { history } = await left.fit(x, y, { epochs: 2, verbose: 0 });
      expect(history.loss!.every(Number.isFinite)).toBe(true);
    }
  });

  it('carries the metadata of the model over, which is then its own', async () => {
    const model = tfl.sequential({ layers: [hidden({ inputShape: [3] }), dense({ units: 1 })] });
    const small = async () => shrink(model, await plan(model, { pruner: shortest, budget }));
    expect((await small()).getUserDefinedMetadata()).toBeUndefined();
    model.setUserDefinedMetadata({ by: 'us', classes: ['a', 'b'] });
    const smaller = await small();
    model.setUserDefinedMetadata({ by: 'them' });
    expect(smaller.getUserDefinedMetadata()).toEqual({ by: 'us', classes: ['a', 'b'] });
  });

  it('names the layer whose rule forgets its config', async () => {
    class Forgetful extends tfl.layers.Layer {
      static readonly className = 'Forgetful';
      override build(shape: [null, number]): void {
        this.addWeight('scale', [shape[1]], 'float32', tfl.initializers.ones());
        super.build(shape);
      }
      override computeOutputShape(shape: (number | null)[]): (number | null)[] {
        return shape;
      }
      override call(input: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return tf.mul((Array.isArray(input) ? input[0] : input)!, this.weights[0]!.read());
      }
    }
    tf.serialization.registerClass(
      Forgetful as unknown as tf.serialization.SerializableConstructor<Forgetful>,
    );
    const model = tfl.sequential({
      layers: [hidden({ inputShape: [3] }), new Forgetful({ name: 'odd' }), dense({ units: 2 })],
    });
    registerLayer('Forgetful', { trace: ({ inputs }) => ({ outputs: inputs }) });
    const made = await plan(model, { pruner: shortest, budget });
    const tensors = tf.memory().numTensors;
    await expect(shrink(model, made)).rejects.toThrow(
      /odd\/scale should have become \[6\], but the smaller layer's is \[3\]: the rule for Forgetful/,
    );
    expect(tf.memory().numTensors).toBe(tensors);
    registerLayer('Forgetful', {
      trace: ({ inputs }) => ({ outputs: inputs, weights: { scales: { axes: [null] } } }),
    });
    expect(() => analyze(model)).toThrow("the rule for Forgetful names a weight 'scales', but odd has scale");
    registerLayer('Forgetful', { trace: () => ({ outputs: [] }) });
    expect(() => analyze(model)).toThrow(
      'the rule for Forgetful must answer { outputs } with labels for 1 outputs',
    );
  });
});
