import '@tensorflow/tfjs-backend-cpu';
import { input, layers, model as modelOf, type SymbolicTensor, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { smallResNet } from '../test-models/fixed.ts';
import { analyze } from './analyze.ts';
import type { Layer } from './rule.ts';

const wiring = (model: Parameters<typeof analyze>[0]): unknown[] =>
  analyze(model).layers.map(({ name, inputs, groups }) => [name, inputs, groups]);

describe('analyze tells how layers are wired, and whose units they put out', () => {
  it('in a residual with a model inside', () => {
    expect(wiring(smallResNet())).toEqual([
      ['image', [], []],
      ['stem', ['image'], ['stem']],
      ['stem_norm', ['stem'], ['stem']],
      ['stem_act', ['stem_norm'], ['stem']],
      ['block/inner_in', ['stem_act'], ['stem']],
      ['block/branch', ['block/inner_in'], ['stem']],
      ['block/branch_norm', ['block/branch'], ['stem']],
      ['sum', ['stem_act', 'block/branch_norm'], ['stem']],
      ['depthwise', ['sum'], ['stem']],
      ['pool', ['depthwise'], ['stem']],
      ['flat', ['pool'], ['flat']],
      ['hidden', ['flat'], ['hidden']],
      ['logits', ['hidden'], ['logits']],
    ]);
  });

  it('where one is called twice, and branches are side by side', () => {
    const [left, right] = [input({ shape: [3], name: 'left' }), input({ shape: [3], name: 'right' })];
    const shared = layers.dense({ units: 4, name: 'shared' });
    const [a, b] = [shared.apply(left), shared.apply(right)] as [SymbolicTensor, SymbolicTensor];
    const other = layers.dense({ units: 2, name: 'other' }).apply(b) as SymbolicTensor;
    const both = layers.concatenate({ name: 'both' }).apply([a, other, a]);
    const outputs = layers.dense({ units: 1, name: 'out' }).apply(both) as SymbolicTensor;
    expect(wiring(modelOf({ inputs: [left, right], outputs }))).toEqual([
      ['left', [], []],
      ['right', [], []],
      ['shared', ['left', 'right'], ['shared']],
      ['other', ['shared'], ['other']],
      ['both', ['shared', 'other'], ['shared', 'other']],
      ['out', ['both'], ['out']],
    ]);
  });

  it('where some work inside others', () => {
    const image = sequential({
      name: 'image',
      layers: [
        layers.dense({ units: 3, inputShape: [2], name: 'first' }),
        layers.dense({ units: 2, name: 'second' }),
      ],
    });
    const each = layers.timeDistributed({
      layer: image as unknown as Layer,
      name: 'each',
      inputShape: [4, 2],
    });
    const model = sequential({
      layers: [each, layers.simpleRNN({ units: 2, recurrentInitializer: 'zeros', name: 'out' })],
    });
    const inside = analyze(model).layers.map(({ name, inside }) => [name, inside]);
    expect(inside.filter(([, around]) => around !== undefined)).toEqual([
      ['each/image/first_input', 'each'],
      ['each/image/first', 'each'],
      ['each/image/second', 'each'],
    ]);
    expect(analyze(model).layers.find(({ name }) => name === 'each/image/second')?.inputs).toEqual([
      'each/image/first',
    ]);
  });
});
