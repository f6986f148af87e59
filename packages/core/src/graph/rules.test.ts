import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, model as modelOf, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { expectAgreement } from '../test-models/agree.ts';
import { chain, groupOf, membersOf, on } from '../test-models/chain.ts';
import { analyze } from './analyze.ts';
import { type Layer, ruleFor } from './rule.ts';

const fast = { recurrentInitializer: 'glorotUniform' } as const;

it('there is a rule for every layer that TensorFlow.js exports', () => {
  // those that are not made with any arguments, and no layers
  const others = ['Layer', 'RNN', 'RNNCell', 'input'];
  const anything = {
    ...{ units: 2, filters: 2, kernelSize: 1, poolSize: 2, rate: 0.1, stddev: 0.1, n: 2, dims: [1] },
    ...{ targetShape: [2], inputDim: 2, outputDim: 2, axes: 1, cropping: 1, scale: 1, height: 2, width: 2 },
    ...{ numTokens: 2, factor: 0.1, activation: 'relu', inputShape: [2], returnSequences: true },
  };
  const special: Record<string, () => object> = {
    rnn: () => ({ cell: layers.gruCell({ units: 2 }) }),
    stackedRNNCells: () => ({ cells: [layers.gruCell({ units: 2 })] }),
    bidirectional: () => ({ layer: layers.gru({ units: 2 }) }),
    timeDistributed: () => ({ layer: layers.dense({ units: 2 }) }),
    concatenate: () => ({ axis: -1 }),
    separableConv2d: () => ({ filters: 2, kernelSize: 1 }),
  };
  const factories = Object.entries(layers).filter(([name]) => !others.includes(name));
  expect(factories.length).toBeGreaterThan(70);
  const missing = factories.flatMap(([name, make]) => {
    const made = (make as (args: object) => Layer)(special[name]?.() ?? { ...anything });
    return ruleFor(made.getClassName()) ? [] : [name];
  });
  expect(missing).toEqual([]);
});

it('there is a rule for every layer that TensorFlow.js can load', () => {
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  const isLayer = (made: unknown): boolean =>
    (made as { readonly prototype: unknown }).prototype instanceof layers.Layer;
  const names = Object.keys(classNameMap).filter((name) => isLayer(classNameMap[name]![0]));
  expect(names.length).toBeGreaterThan(60);
  // models are followed into; no test gave the last one a rule
  const others = ['Model', 'Functional', 'Sequential', 'Doubling'];
  expect(names.filter((name) => !ruleFor(name) && !others.includes(name))).toEqual([]);
});

describe('convolutions', () => {
  it('transposed: the kernel has its outputs before its inputs, and works at each input', async () => {
    const model = chain(
      [3, 3, 2],
      layers.conv2d({ filters: 4, kernelSize: 1, name: 'conv' }),
      layers.conv2dTranspose({ filters: 3, kernelSize: 2, strides: 2, name: 'up' }),
      layers.globalAveragePooling2d({}),
    );
    expect(membersOf(groupOf(model, 'conv')).at(-1)).toBe('up/kernel@3 reads 0 | 1 | 2 | 3');
    expect(membersOf(groupOf(model, 'up'))[0]).toBe('up/kernel@2 makes 0 | 1 | 2');
    expect(analyze(model).layers.find(({ name }) => name === 'up')!.macs).toBe(9 * 2 * 2 * 3 * 4);
    await expectAgreement(model, { groups: ['conv', 'up'] });
  });

  it('in three dimensions', async () => {
    const model = chain(
      [4, 4, 4, 2],
      layers.conv3d({ filters: 5, kernelSize: 2, name: 'conv' }),
      layers.maxPooling3d({ poolSize: 2, strides: 1 }),
      layers.conv3dTranspose({ filters: 5, kernelSize: 2, name: 'up' }),
      layers.averagePooling3d({ poolSize: 3, strides: 3 }),
    );
    await expectAgreement(model, { groups: ['conv', 'up'] });
  });

  it('with the channels first, from a Dense layer on', async () => {
    const dataFormat = 'channelsFirst' as const;
    const model = chain(
      [6],
      layers.dense({ units: 48, name: 'dense' }),
      layers.reshape({ targetShape: [3, 4, 4] }),
      layers.conv2d({ filters: 5, kernelSize: 2, dataFormat, name: 'conv' }),
      layers.prelu({ sharedAxes: [2, 3] }),
      layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, dataFormat, name: 'depthwise' }),
      layers.conv2dTranspose({ filters: 5, kernelSize: 2, dataFormat, name: 'up' }),
      layers.zeroPadding2d({ padding: 1, dataFormat }),
      layers.maxPooling2d({ poolSize: 2, dataFormat }),
      layers.flatten({ dataFormat, name: 'features' }),
    );
    expect(groupOf(model, 'dense').size).toBe(3);
    await expectAgreement(model, { groups: ['dense', 'conv', 'up', 'features'] });
  });

  it('causal: TensorFlow.js fails at them, and so it is said', () => {
    const model = chain(
      [5, 2],
      layers.conv1d({ filters: 2, kernelSize: 2, padding: 'causal', name: 'conv' }),
    );
    expect(() => analyze(model)).toThrow(/conv: TensorFlow.js has no causal convolution.*zeroPadding2d/);
  });

  it('with the channels first, where TensorFlow.js gets them wrong', () => {
    const args = { filters: 3, kernelSize: 1, dataFormat: 'channelsFirst', name: 'conv' } as const;
    expect(() => analyze(chain([2, 5], layers.conv1d(args)))).toThrow(
      /conv: TensorFlow.js puts out the channels of a sequence last.*permute/,
    );
    expect(() => analyze(chain([2, 5, 5], layers.separableConv2d(args)))).toThrow(
      /conv: TensorFlow.js adds the bias along another axis.*permute/,
    );
  });

  it('with the channels first, separable and without a bias', async () => {
    const made = (name: string) =>
      layers.separableConv2d({
        ...{ filters: 5, kernelSize: 2, depthMultiplier: 2, useBias: false, name },
        dataFormat: 'channelsFirst',
      });
    await expectAgreement(chain([2, 6, 6], made('low'), made('high')), { groups: ['low', 'high', 'flat'] });
  });
});

describe('shapes', () => {
  it('a Reshape is cut by whichever axis its readers say', async () => {
    const dense = layers.dense({ units: 12, name: 'dense' });
    const split = (...behind: unknown[]) =>
      chain([5], dense, layers.reshape({ targetShape: [3, 4] }), ...behind);
    // read by its last axis, by its first, and by nobody
    const last = split(layers.dense({ units: 2 }), layers.globalAveragePooling1d({}));
    expect(groupOf(last, 'dense').size).toBe(4);
    const first = split(layers.permute({ dims: [2, 1] }), layers.conv1d({ filters: 2, kernelSize: 1 }));
    expect(groupOf(first, 'dense').size).toBe(3);
    expect(groupOf(split(), 'dense').size).toBe(4);
    for (const model of [last, first, split()]) await expectAgreement(model);
  });

  it('merged, split, repeated', async () => {
    const conv = layers.conv2d({ filters: 5, kernelSize: 2, name: 'conv' });
    const chains = [
      [conv, layers.reshape({ targetShape: [9, 5] }), layers.conv1d({ filters: 4, kernelSize: 2 })],
      [conv, layers.reshape({ targetShape: [3, 15] }), layers.lstm({ units: 4, ...fast })],
      [conv, layers.reshape({ targetShape: [45] }), layers.dense({ units: 4 })],
      [
        conv,
        layers.globalAveragePooling2d({}),
        layers.repeatVector({ n: 3 }),
        layers.gru({ units: 4, ...fast }),
      ],
      [conv, layers.permute({ dims: [3, 1, 2] }), layers.flatten({ dataFormat: 'channelsFirst' })],
    ];
    for (const made of chains) await expectAgreement(chain([4, 4, 2], ...made));
  });

  it('a Dense layer, reshaped to a map, and a transposed convolution', async () => {
    const model = chain(
      [6],
      layers.dense({ units: 4 * 4 * 5, activation: 'relu', name: 'dense' }),
      layers.reshape({ targetShape: [4, 4, 5] }),
      layers.batchNormalization(),
      layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', name: 'up' }),
    );
    expect(groupOf(model, 'dense').size).toBe(5);
    await expectAgreement(model);
  });
});

describe('embeddings and preprocessing', () => {
  const words = () => tf.tensor2d([3, 1, 0, 0, 4, 2, 2, 0], [2, 4]);

  it('the columns of an embedding are units, the words stay', async () => {
    const table = layers.embedding({
      inputDim: 5,
      outputDim: 6,
      maskZero: true,
      inputLength: 4,
      name: 'table',
    });
    const model = sequential({
      layers: [table, layers.lstm({ units: 5, name: 'lstm', ...fast }), layers.dense({ units: 2 })],
    });
    expect(membersOf(groupOf(model, 'table')).slice(0, 2)).toEqual([
      'table/embeddings@1 makes 0 | 1 | 2 | 3 | 4 | 5',
      'lstm/kernel@0 reads 0 | 1 | 2 | 3 | 4 | 5',
    ]);
    const { small } = await expectAgreement(model, { groups: ['table', 'lstm'], x: [words()] });
    expect(small.getLayer('table').weights[0]!.shape).toEqual([5, 4]);
  });

  it('values, crops and steps that are skipped pass the units on', async () => {
    const conv = () => layers.conv2d({ filters: 5, kernelSize: 1, name: 'conv' });
    await expectAgreement(chain([4, 4, 2], conv(), layers.rescaling({ scale: 2, offset: -1 })), {
      groups: ['conv', 'flat'],
    });
    await expectAgreement(
      chain([4, 4, 2], conv(), layers.centerCrop({ height: 2, width: 2 }), layers.globalMaxPooling2d({})),
      { groups: ['conv'] },
    );
    // TensorFlow.js takes vectors, too, whatever its types say
    const vectors = { scale: [1, 2, 3, 4, 5], offset: [5, 4, 3, 2, 1], name: 'scaled' };
    const { small, made } = await expectAgreement(
      chain([4, 4, 2], conv(), layers.rescaling(vectors as never)),
      {
        groups: ['conv', 'flat'],
      },
    );
    const staying = vectors.scale.filter((_, unit) => !made.groups[0]!.remove.includes(unit));
    expect(small.getLayer('scaled').getConfig().scale).toEqual(staying);
    const masked = chain([4, 3], layers.masking(), layers.gru({ units: 5, name: 'gru', ...fast }));
    await expectAgreement(masked, { groups: ['gru'] });
  });

  it('what reads units as a whole says so', () => {
    const dense = () => layers.dense({ units: 3, name: 'dense' });
    const reasons = (model: LayersModel) => {
      const { reason, inexactReason } = groupOf(model, 'dense');
      return reason ?? inexactReason;
    };
    const looks = layers.masking({ name: 'skipping' });
    expect(reasons(chain([4, 3], dense(), looks, layers.globalMaxPooling1d({})))).toMatch(
      'skipping looks at all units',
    );
    const table = layers.embedding({ inputDim: 5, outputDim: 2, name: 'table' });
    expect(reasons(chain([4], dense(), table))).toMatch('table looks words up by its value');
    const code = layers.categoryEncoding({ numTokens: 5, name: 'code' });
    expect(reasons(chain([4], dense(), code))).toMatch('code reads its value as a category');
  });

  it('images of a wrong shape: TensorFlow.js, and how to do without', () => {
    const source = input({ shape: [4, 4, 2] });
    const [conv] = on(layers.conv2d({ filters: 3, kernelSize: 1, name: 'conv' }), source);
    const [resized] = on(layers.resizing({ height: 2, width: 2, name: 'resized' }), conv!);
    expect(groupOf(modelOf({ inputs: source, outputs: resized! }), 'conv').reason).toMatch(
      /resized a wrong output shape: resize the images before the model/,
    );
  });
});

describe('what mixes units', () => {
  it('a softmax is inexact, also as its logarithm, and any activation that is not known', () => {
    class Crossed extends tf.serialization.Serializable {
      static readonly className: string = 'crossed';
      getConfig = () => ({});
      apply = (x: tf.Tensor) => tf.cumsum(x, -1);
    }
    tf.serialization.registerClass(Crossed);
    const reasonOf = (activation: string) => {
      const hidden = layers.dense({ units: 3, activation: activation as never, name: 'hidden' });
      const { exact, inexactReason } = groupOf(chain([2], hidden), 'hidden');
      return exact ? 'none' : inexactReason;
    };
    for (const activation of ['softmax', 'logSoftmax']) {
      expect(reasonOf(activation)).toMatch('the softmax of hidden');
    }
    expect(reasonOf('crossed')).toMatch('activation crossed of hidden is not known to leave units apart');
    for (const activation of [
      'linear',
      'hardSigmoid',
      'relu6',
      'selu',
      'gelu',
      'mish',
      'swish',
      'softsign',
    ]) {
      expect(reasonOf(activation)).toBe('none');
    }
  });

  it('LayerNormalization over units is inexact, over steps it is not', () => {
    const conv = () => layers.conv1d({ filters: 3, kernelSize: 1, name: 'conv' });
    const model = chain([4, 2], conv(), layers.layerNormalization({ name: 'norm' }));
    const group = groupOf(model, 'conv');
    expect(group).toMatchObject({ prunable: true, exact: false });
    expect(group.inexactReason).toMatch('norm takes the mean and variance of all units');
    expect(membersOf(group).filter((member) => member.startsWith('norm'))).toEqual([
      'norm/gamma@0 along 0 | 1 | 2',
      'norm/beta@0 along 0 | 1 | 2',
    ]);
    const steps = chain([4, 2], conv(), layers.layerNormalization({ axis: 1, name: 'norm' }));
    expect(groupOf(steps, 'conv').exact).toBe(true);
  });

  it('normalisation along another axis than the last, which TensorFlow.js gets wrong', () => {
    const conv = layers.conv2d({ filters: 3, kernelSize: 1, dataFormat: 'channelsFirst', name: 'conv' });
    const model = chain([2, 4, 4], conv, layers.batchNormalization({ axis: 1, name: 'norm' }));
    expect(groupOf(model, 'conv').inexactReason).toMatch(/norm normalises along.*use channels last/);
  });

  it('a Dot over units ties them and is inexact; over steps it passes them on', async () => {
    const source = input({ shape: [4, 3] });
    const [query, key] = ['query', 'key'].map((name) => on(layers.dense({ units: 5, name }), source)[0]!);
    const [value] = on(layers.dense({ units: 5, name: 'value' }), source);
    const [scores] = on(layers.dot({ axes: 2, name: 'scores' }), query!, key!);
    const [soft] = on(layers.softmax({ axis: -1 }), scores!);
    const [mixed] = on(layers.dot({ axes: [2, 1] }), soft!, value!);
    const outputs = on(layers.dense({ units: 2 }), ...on(layers.flatten(), mixed!));
    const model = modelOf({ inputs: source, outputs });
    expect(groupOf(model, 'query')).toMatchObject({ producers: ['query', 'key'], exact: false });
    expect(groupOf(model, 'query').inexactReason).toMatch('scores sums over all units');
    expect(groupOf(model, 'value')).toMatchObject({ prunable: true, exact: true });
    await expectAgreement(model);
  });

  it('attention over steps leaves the units of what it weighs alone', async () => {
    const source = input({ shape: [4, 3] });
    const lstm = layers.lstm({ units: 5, returnSequences: true, name: 'lstm', ...fast });
    const [states] = on(lstm, source);
    const [score] = on(layers.flatten(), ...on(layers.dense({ units: 1, name: 'score' }), states!));
    const [soft] = on(layers.softmax({ axis: -1 }), score!);
    const [column] = on(layers.reshape({ targetShape: [4, 1] }), soft!);
    const [weighed] = on(layers.multiply({ name: 'weighed' }), states!, column!);
    const [dotted] = on(layers.dot({ axes: [1, 1], name: 'dotted' }), soft!, states!);
    for (const [end, reason] of [
      [
        on(layers.globalAveragePooling1d({}), weighed!),
        'weighed spreads it over all units of another branch',
      ],
      [[dotted!], 'dotted sums over it together with positions of another layer'],
    ] as const) {
      const model = modelOf({ inputs: source, outputs: on(layers.dense({ units: 2 }), ...end) });
      expect(groupOf(model, 'lstm')).toMatchObject({ size: 5, producers: ['lstm'] });
      expect(groupOf(model, 'score').reason).toBe(reason);
      await expectAgreement(model, { groups: ['lstm'] });
    }
  });

  it('two branches that are spread over each other stay', async () => {
    const source = input({ shape: [4] });
    const [row, column] = (['row', 'column'] as const).map((name) => {
      const [vector] = on(layers.dense({ units: 5, name }), source);
      return on(layers.reshape({ targetShape: name === 'row' ? [1, 5] : [5, 1] }), vector!)[0]!;
    });
    const [table] = on(layers.multiply({ name: 'table' }), row!, column!);
    const hidden = on(layers.dense({ units: 5, name: 'hidden' }), ...on(layers.flatten(), table!));
    const model = modelOf({ inputs: source, outputs: on(layers.dense({ units: 2 }), ...hidden) });
    expect(['row', 'column'].map((id) => groupOf(model, id).reason)).toEqual(
      ['row', 'column'].map(() => 'table spreads it over all units of another branch'),
    );
    await expectAgreement(model, { groups: ['hidden'] });
  });

  it('a Dot of two sets of units freezes both', () => {
    const source = input({ shape: [4, 3] });
    const [a, b] = ['a', 'b'].map((name) => on(layers.dense({ units: 5, name }), source)[0]!);
    const crossed = on(layers.dot({ axes: 1, name: 'crossed' }), a!, b!);
    const outputs = on(layers.dense({ units: 2 }), ...on(layers.flatten(), ...crossed));
    const { groups } = analyze(modelOf({ inputs: source, outputs }));
    expect(groups.slice(0, 2).map(({ reason }) => reason)).toEqual(
      ['a', 'b'].map(() => 'crossed multiplies each unit by each of another layer'),
    );
  });
});
