import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type RNN,
  sequential,
} from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { addOutgoing, scaleOutgoing } from '../plan/compensation.ts';
import { plan } from '../plan/plan.ts';
import { shrink } from '../surgery/shrink.ts';
import { expectAgreement } from '../test-models/agree.ts';
import { examples, liven } from '../test-models/build.ts';
import { chain, groupOf, membersOf, on } from '../test-models/chain.ts';
import { difference, outputsOf } from '../test-models/compare.ts';
import { pairs } from '../test-models/pruners.ts';
import { analyze } from './analyze.ts';
import type { Layer } from './rule.ts';

const fast = { recurrentInitializer: 'glorotUniform' } as const;

describe('recurrent layers', () => {
  it('a unit has a column for each gate, and a row that the others read', () => {
    const model = chain([4, 3], layers.lstm({ units: 2, name: 'lstm', ...fast }));
    const { groups, cost } = analyze(model);
    expect(groups[0]).toMatchObject({ id: 'lstm', kind: 'neuron', size: 2, prunable: true, exact: true });
    expect(membersOf(groups[0]!)).toEqual([
      'lstm/kernel@1 makes 0,2,4,6 | 1,3,5,7',
      'lstm/recurrent_kernel@0 reads 0 | 1',
      'lstm/recurrent_kernel@1 makes 0,2,4,6 | 1,3,5,7',
      'lstm/bias@0 makes 0,2,4,6 | 1,3,5,7',
      'out/kernel@0 reads 0 | 1',
    ]);
    // four steps of 3 x 8 and 2 x 8, and 2 x 2
    expect(cost).toMatchObject({ params: 24 + 16 + 8 + 6, macs: 4 * (24 + 16) + 4 });
  });

  it.each(['simpleRNN', 'gru', 'lstm'] as const)('%s', async (kind) => {
    const made = (name: string, returnSequences: boolean) =>
      layers[kind]({ units: 5, returnSequences, name, ...fast });
    await expectAgreement(chain([4, 3], made('low', true), made('high', false)), { groups: ['low', 'high'] });
    await expectAgreement(chain([4, 3], made('low', true)));
  });

  it('cells one upon the other, each with its own units', async () => {
    const cell = [layers.lstmCell({ units: 5, ...fast }), layers.gruCell({ units: 4, ...fast })];
    const { small } = await expectAgreement(chain([4, 3], layers.rnn({ cell: cell as never, name: 'rnn' })), {
      groups: ['rnn/cell/0', 'rnn/cell/1'],
    });
    expect(analyze(small).groups.map(({ size }) => size)).toEqual([3, 3, 2]);
    const alone = layers.rnn({ cell: layers.simpleRNNCell({ units: 5, ...fast }), name: 'rnn' });
    await expectAgreement(chain([4, 3], alone), { groups: ['rnn/cell'] });
  });

  it('a cell that nobody knows', () => {
    class OtherCell extends layers.RNNCell {
      static readonly className: string = 'OtherCell';
      readonly stateSize = 2;
      override build(): void {}
    }
    const before = layers.dense({ units: 3, name: 'before' });
    const model = chain([4, 3], before, layers.rnn({ cell: new OtherCell({}) as never, name: 'rnn' }));
    expect(groupOf(model, 'before').reason).toMatch('rnn/cell reads it, and there is no rule for OtherCell');
  });

  it.each(['concat', 'sum', 'mul', 'ave'] as const)('both directions, %s', async (mergeMode) => {
    for (const returnSequences of [true, false]) {
      const layer = layers.lstm({ units: 5, returnSequences, name: 'lstm', ...fast }) as RNN;
      const model = chain([4, 3], layers.bidirectional({ layer, mergeMode, name: 'both' }));
      const first = groupOf(model, 'both/forward');
      expect(first).toMatchObject({ producers: ['both/forward', 'both/backward'], size: 5 });
      const { small } = await expectAgreement(model);
      expect(groupOf(small, 'both/forward').size).toBe(3);
    }
  });

  it('both directions apart, and with their states', async () => {
    const source = input({ shape: [4, 3] });
    const layer = (returnState: boolean, name: string) =>
      layers.gru({ units: 5, returnState, name, ...fast }) as RNN;
    const apart = { layer: layer(false, 'gru'), mergeMode: null, name: 'apart' } as never;
    const [ahead, back] = on(layers.bidirectional(apart), source);
    const states = { layer: layer(true, 'gru2'), mergeMode: 'sum', name: 'states' } as const;
    const [sum, first, second] = on(layers.bidirectional(states), source);
    const all = on(layers.concatenate(), ahead!, back!, sum!, first!, second!);
    const model = modelOf({ inputs: source, outputs: on(layers.dense({ units: 2 }), ...all) });
    await expectAgreement(model, { groups: ['apart/forward', 'states/forward'] });
  });

  it('begin with the states of another: their units are one', async () => {
    const source = input({ shape: [4, 3] });
    const [, h, c] = on(layers.lstm({ units: 5, returnState: true, name: 'encoder', ...fast }), source);
    const decoder = layers.lstm({ units: 5, name: 'decoder', returnSequences: true, ...fast });
    const [decoded] = on(decoder, source, h!, c!);
    const pooled = on(layers.globalAveragePooling1d({}), decoded!);
    const model = modelOf({ inputs: source, outputs: on(layers.dense({ units: 2 }), ...pooled) });
    expect(groupOf(model, 'encoder').producers).toEqual(['encoder', 'decoder']);
    await expectAgreement(model, { groups: ['encoder'] });
  });

  it('keep their state from call to call', async () => {
    const lstm = layers.lstm({ units: 5, stateful: true, name: 'lstm', ...fast, batchInputShape: [2, 4, 3] });
    const model = sequential({ layers: [lstm, layers.dense({ units: 2 })] });
    const outputs = (one: LayersModel, [x]: tf.Tensor[]) => {
      one.resetStates();
      return [1, 2].map(() => (one.predict(x!) as tf.Tensor).dataSync<'float32'>().slice());
    };
    await expectAgreement(model, { x: [tf.randomNormal([2, 4, 3], 0, 1, 'float32', 1)], outputs });
  });

  it('over a film', async () => {
    for (const dataFormat of ['channelsLast', 'channelsFirst'] as const) {
      const shape = dataFormat === 'channelsLast' ? [3, 5, 4, 2] : [3, 2, 5, 4];
      const film = (name: string, returnSequences: boolean) =>
        layers.convLstm2d({ filters: 5, kernelSize: 2, dataFormat, returnSequences, name, ...fast });
      const model = chain(shape, film('low', true), film('high', false));
      expect(
        membersOf(groupOf(model, 'low')).map((member) => member.split(' ').slice(0, 2).join(' ')),
      ).toEqual([
        'low/kernel@3 makes',
        'low/recurrent_kernel@2 reads',
        'low/recurrent_kernel@3 makes',
        'low/bias@0 makes',
        'high/kernel@2 reads',
      ]);
      await expectAgreement(model);
    }
  });

  it.each(['simpleRNN', 'gru', 'lstm'] as const)(
    '%s loses nothing with a cell of which there are two',
    async (kind) => {
      for (const compensation of [addOutgoing(), scaleOutgoing()]) {
        const model = chain([4, 3], layers[kind]({ units: 4, returnSequences: true, name: 'rnn', ...fast }));
        liven(model, 2);
        // the third cell computes what the first does
        const twins = model
          .getLayer('rnn')
          .getWeights()
          .map((weight) => {
            const columns = Array.from({ length: weight.shape.at(-1)! }, (_, i) => (i % 4 === 2 ? i - 2 : i));
            return tf.gather(weight, tf.tensor1d(columns, 'int32'), weight.rank - 1);
          });
        model.getLayer('rnn').setWeights(twins);
        const x = examples(model, 3, 7);
        const before = outputsOf(model, x);
        const pruner = pairs({ unit: 2, into: 0, score: 0 });
        const budget = { count: 1 };
        const made = await plan(model, { pruner, budget, compensation, scope: ['rnn'], data: { x } });
        expect(made.folds.map(({ layer, weight }) => `${layer}/${weight}`)).toEqual([
          'rnn/recurrent_kernel',
          'out/kernel',
        ]);
        expect(difference(before, outputsOf(await shrink(model, made), x))).toBeLessThan(1e-5);
      }
    },
  );

  it('over sequences of any length', async () => {
    const both = layers.bidirectional({
      layer: layers.gru({ units: 5, returnSequences: true, ...fast }) as RNN,
      mergeMode: 'concat',
    });
    const model = sequential({
      layers: [
        layers.embedding({ inputDim: 5, outputDim: 6, maskZero: true, name: 'table' }),
        both as Layer,
        layers.timeDistributed({ layer: layers.dense({ units: 5 }) }),
        layers.lstm({ units: 5, ...fast }),
        layers.dense({ units: 2 }),
      ],
    });
    const { made } = await expectAgreement(model, { x: [tf.tensor2d([3, 1, 2, 4, 0, 0], [2, 3])] });
    expect(made.groups.map(({ remove }) => remove.length)).toEqual([2, 2, 2, 2]);
  });

  it('a softmax in a cell is inexact', () => {
    const model = chain(
      [4, 3],
      layers.lstm({ units: 3, recurrentActivation: 'softmax', name: 'lstm', ...fast }),
    );
    expect(groupOf(model, 'lstm').inexactReason).toMatch('the softmax of lstm');
  });
});

describe('wrappers', () => {
  it('a layer at each step has its own weights and counts for each step', async () => {
    const wrapped = layers.timeDistributed({
      layer: layers.dense({ units: 5, name: 'dense' }),
      name: 'each',
    });
    const model = chain([4, 3], wrapped, layers.globalMaxPooling1d({}));
    expect(membersOf(groupOf(model, 'each/dense'))[0]).toBe('each/dense/kernel@1 makes 0 | 1 | 2 | 3 | 4');
    expect(analyze(model).cost.macs).toBe(4 * 15 + 10);
    await expectAgreement(model, { groups: ['each/dense'] });
  });

  it('a model at each step, and single features of a map at each step', async () => {
    const image = sequential({
      name: 'image',
      layers: [
        layers.conv2d({ filters: 5, kernelSize: 2, inputShape: [4, 4, 2], name: 'conv' }),
        layers.flatten({ name: 'flat' }),
        layers.dense({ units: 6, activation: 'tanh', name: 'dense' }),
      ],
    });
    const each = layers.timeDistributed({ layer: image as unknown as Layer, name: 'each' });
    const model = chain([3, 4, 4, 2], each, layers.lstm({ units: 4, name: 'lstm', ...fast }));
    await expectAgreement(model, {
      groups: ['each/image/conv', 'each/image/flat', 'each/image/dense', 'lstm'],
    });
  });

  it('refuses a layer that is wrapped here and stands alone there', async () => {
    const both = layers.dense({ units: 3, name: 'both' });
    const model = chain([4, 3], both, layers.timeDistributed({ layer: both, name: 'each' }));
    await expect(expectAgreement(model)).rejects.toThrow('as both and each/both');
  });
});
