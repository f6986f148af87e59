import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prune } from '../callback.ts';
import { analyze } from '../graph/analyze.ts';
import type { Layer } from '../graph/rule.ts';
import { foldMean, none } from '../plan/compensation.ts';
import { type PlanOptions, plan } from '../plan/plan.ts';
import type { Plan } from '../plan/types.ts';
import { examples, liven } from '../test-models/build.ts';
import { difference, outputsOf, reloaded } from '../test-models/compare.ts';
import { scores } from '../test-models/pruners.ts';
import { ChannelBias } from './channel-bias.ts';
import { mask } from './mask.ts';
import { removableLayers, removeLayer } from './remove-layer.ts';
import { shrink } from './shrink.ts';

const TOLERANCE = 1e-5;
/** More by `ESPALIER_CASES=3000 npx vitest run branches`. */
const CASES = Math.ceil(Number(process.env.ESPALIER_CASES ?? 500) / 12);

/** How one residual block is built. */
interface Block {
  /** Convolutions of the branch; the last makes as many filters as the block reads. */
  readonly depth: 1 | 2 | 3;
  readonly norm: boolean;
  readonly useBias: boolean;
  /** Of the branch's last layer: its own, none, or that behind the sum. */
  readonly end: 'relu' | 'linear' | 'afterSum';
  readonly shortcut: 'identity' | 'conv';
  readonly nested: 'no' | 'branch' | 'sequential' | 'block';
  /** Squeeze and excite: the first filters are multiplied by what two Dense layers make of their means. */
  readonly gate: boolean;
  /** Whether a second branch is added, of which nothing is chosen. */
  readonly twice: boolean;
}

const blockOf = fc.record<Block>({
  depth: fc.constantFrom(1, 2, 3),
  norm: fc.boolean(),
  useBias: fc.boolean(),
  end: fc.constantFrom('relu', 'linear', 'afterSum'),
  shortcut: fc.constantFrom('identity', 'conv'),
  nested: fc.constantFrom('no', 'branch', 'sequential', 'block'),
  gate: fc.boolean(),
  twice: fc.boolean(),
});

const asLayer = (model: LayersModel) => model as unknown as Layer;
const through = (list: readonly Layer[], from: SymbolicTensor) =>
  list.reduce((tensor, layer) => layer.apply(tensor) as SymbolicTensor, from);

/** Of three, the last but one sees 3x3 pixels: its neighbours see one, so that constants stay constants. */
function branchLayers(name: string, filters: number, { depth, norm, useBias, end }: Block): Layer[] {
  return Array.from({ length: depth + 1 }, (_, i) => {
    const last = i === depth;
    const kernelSize = i === depth - 1 ? 3 : 1;
    const act = !last || end === 'relu';
    const one = `${name}_${i}`;
    return [
      layers.conv2d({
        filters: last ? filters : 3,
        kernelSize,
        padding: 'same',
        useBias,
        name: `${one}_conv`,
      }),
      ...(norm ? [layers.batchNormalization({ name: `${one}_norm` })] : []),
      ...(act ? [layers.activation({ activation: 'elu', name: `${one}_act` })] : []),
    ];
  }).flat();
}

/** The first convolution, the gate, and the rest. */
function gated(name: string, [first, ...rest]: readonly Layer[], from: SymbolicTensor): SymbolicTensor {
  const maps = through([first!], from);
  const excite = [
    layers.globalAveragePooling2d({ name: `${name}_squeeze` }),
    layers.dense({ units: 2, activation: 'relu', name: `${name}_reduce` }),
    layers.dense({ units: maps.shape.at(-1)!, activation: 'sigmoid', name: `${name}_excite` }),
    layers.reshape({ targetShape: [1, 1, maps.shape.at(-1)!], name: `${name}_spread` }),
  ];
  const product = layers.multiply({ name: `${name}_gate` }).apply([maps, through(excite, maps)]);
  return through(rest, product as SymbolicTensor);
}

function block(name: string, from: SymbolicTensor, described: Block): SymbolicTensor {
  const shape = from.shape.slice(1) as number[];
  const filters = shape.at(-1)!;
  const run = (x: SymbolicTensor, one = name) => {
    const list = branchLayers(one, filters, described);
    return described.gate ? gated(one, list, x) : through(list, x);
  };
  const branch = (x: SymbolicTensor) => {
    const door = () => input({ shape, name: `${name}_door` });
    if (described.nested === 'branch') return asLayer(nested(`${name}_model`, door(), run)).apply(x);
    if (described.nested !== 'sequential') return run(x);
    return asLayer(nestedOf(`${name}_model`, shape, branchLayers(name, filters, described))).apply(x);
  };
  const build = (x: SymbolicTensor) => {
    const shortcut =
      described.shortcut === 'conv'
        ? through([layers.conv2d({ filters, kernelSize: 1, name: `${name}_shortcut` })], x)
        : x;
    const parts = [
      branch(x) as SymbolicTensor,
      shortcut,
      ...(described.twice ? [run(x, `${name}_too`)] : []),
    ];
    const sum = layers.add({ name: `${name}_sum` }).apply(parts) as SymbolicTensor;
    return described.end === 'afterSum'
      ? through([layers.activation({ activation: 'relu', name: `${name}_out` })], sum)
      : sum;
  };
  if (described.nested !== 'block') return build(from);
  const inner = nested(`${name}_block`, input({ shape, name: `${name}_in` }), build);
  return asLayer(inner).apply(from) as SymbolicTensor;
}

const nested = (
  name: string,
  inputs: SymbolicTensor,
  build: (x: SymbolicTensor) => SymbolicTensor,
): LayersModel => modelOf({ inputs, outputs: build(inputs), name });

function nestedOf(name: string, shape: number[], list: readonly Layer[]): LayersModel {
  const model = sequential({ name });
  model.add(layers.inputLayer({ inputShape: shape, name: `${name}_input` }));
  for (const layer of list) model.add(layer);
  return model;
}

/** A stem, blocks, and a head. */
function resNet(blocks: readonly Block[], seed = 1): LayersModel {
  const image = input({ shape: [5, 4, 2], name: 'image' });
  const stem = through([layers.conv2d({ filters: 4, kernelSize: 1, name: 'stem' })], image);
  const features = blocks.reduce((tensor, described, i) => block(`b${i}`, tensor, described), stem);
  const head = [layers.globalAveragePooling2d({ name: 'pool' }), layers.dense({ units: 3, name: 'logits' })];
  const model = modelOf({ inputs: image, outputs: through(head, features), name: 'res_net' });
  liven(model, seed);
  return model;
}

/** All units of the first convolution of each given branch. */
const emptying = (model: LayersModel, ends: readonly string[]): PlanOptions => ({
  pruner: scores(0, 0, 0, 0),
  budget: { threshold: 1 },
  scope: analyze(model).groups.flatMap(({ id }) => (ends.some((end) => id.endsWith(end)) ? [id] : [])),
  wholeLayers: true,
});

const standard: Block = {
  depth: 1,
  norm: true,
  useBias: true,
  end: 'afterSum',
  shortcut: 'identity',
  nested: 'no',
  gate: false,
  twice: false,
};
const layerNames = (model: LayersModel) => analyze(model).layers.map(({ name }) => name);

async function expectSame(model: LayersModel, made: Plan, x: tf.Tensor[]): Promise<LayersModel> {
  const small = await shrink(model, JSON.parse(JSON.stringify(made)));
  await mask(model, made);
  const masked = outputsOf(model, x);
  expect(difference(masked, outputsOf(small, x)), 'shrunk').toBeLessThan(TOLERANCE);
  const loaded = await reloaded(small);
  expect(difference(masked, outputsOf(loaded, x)), 'saved and loaded').toBeLessThan(TOLERANCE);
  expect(analyze(small).cost, 'predicted cost').toEqual(made.cost.after);
  expect(small.countParams()).toBe(made.cost.after.params);
  loaded.dispose();
  return small;
}

describe('a branch of which every unit goes', () => {
  it('takes its layers and the sum along; the constant goes where a bias is', async () => {
    const model = resNet([{ ...standard, shortcut: 'conv' }]);
    const made = await plan(model, emptying(model, ['b0_0_conv']));
    expect(made.notes).toEqual([
      'layers that go whole: b0_0_conv, b0_0_norm, b0_0_act, b0_1_conv, b0_1_norm, b0_sum',
    ]);
    expect(made.spared).toBeUndefined();
    const small = await expectSame(model, made, examples(model, 3, 1));
    expect(layerNames(small)).toEqual(['image', 'stem', 'b0_shortcut', 'b0_out', 'pool', 'logits']);
  });

  it('leaves a bias of its own where an activation is on either side', async () => {
    const model = resNet([standard, standard]);
    const small = await expectSame(
      model,
      await plan(model, emptying(model, ['b1_0_conv'])),
      examples(model, 3, 1),
    );
    expect(layerNames(small).slice(-5)).toEqual(['b0_out', 'b1_sum_bias', 'b1_out', 'pool', 'logits']);
    expect(small.getLayer('b1_sum_bias').getClassName()).toBe('ChannelBias');
    // of the two, the first is added to the linear stem, whose bias takes it
    const both = resNet([standard, standard]);
    const smaller = await expectSame(
      both,
      await plan(both, emptying(both, ['b0_0_conv', 'b1_0_conv'])),
      examples(both, 3, 1),
    );
    expect(layerNames(smaller)).toEqual([
      'image',
      'stem',
      'b0_out',
      'b1_sum_bias',
      'b1_out',
      'pool',
      'logits',
    ]);
  });

  it('leaves nothing where it added nothing', async () => {
    const model = resNet([standard, { ...standard, norm: false, useBias: false }]);
    const small = await expectSame(
      model,
      await plan(model, emptying(model, ['b1_0_conv'])),
      examples(model, 3, 1),
    );
    expect(layerNames(small).slice(-4)).toEqual(['b0_out', 'b1_out', 'pool', 'logits']);
  });

  it('passes constants on through several layers, past sums, and takes units that nobody reads along', async () => {
    const model = resNet([
      { ...standard, end: 'linear' },
      { ...standard, depth: 3, end: 'linear' },
    ]);
    const x = examples(model, 3, 1);
    const middle = await plan(model, emptying(model, ['b1_2_conv']));
    expect(middle.groups.map(({ id, remove }) => [id, remove.length])).toEqual([
      ['b1_2_conv', 3],
      ['b1_1_conv', 3],
      ['b1_0_conv', 3],
    ]);
    const small = await expectSame(model, middle, x);
    // the constant goes into the beta of the block before, past its sum
    const first = ['b0_0_conv', 'b0_0_norm', 'b0_0_act', 'b0_1_conv', 'b0_1_norm', 'b0_sum'];
    expect(layerNames(small)).toEqual(['image', 'stem', ...first, 'pool', 'logits']);
  });

  it(`is the same for ${CASES} random residual networks`, { timeout: CASES * 2000 }, async () => {
    let counted = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(blockOf, { minLength: 1, maxLength: 3 }),
        fc.nat(1000),
        fc.boolean(),
        async (blocks, seed, means) => {
          const model = resNet(blocks, seed);
          const x = examples(model, 3, seed);
          const chosen = blocks.flatMap(({ depth }, i) =>
            (seed >> i) & 1 ? [`b${i}_${seed % depth}_conv`] : [],
          );
          fc.pre(chosen.length > 0);
          const before = tf.memory().numTensors;
          const options = emptying(model, chosen);
          const data = { x, batchSize: 2 };
          const made = await plan(model, { ...options, compensation: means ? foldMean() : none(), data });
          const small = await expectSame(model, made, x);
          if (made.notes.some((note) => note.includes('go whole'))) counted++;
          small.dispose();
          expect(tf.memory().numTensors, 'tensors').toBe(before);
          model.dispose();
          tf.dispose(x);
        },
      ),
      { numRuns: CASES, seed: Number(process.env.ESPALIER_SEED ?? 1) },
    );
    expect(counted).toBeGreaterThan(CASES / 2);
  });

  it('can be planned again, trained with and carried on', async () => {
    const model = resNet([standard, { ...standard, end: 'linear' }]);
    model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
    const x = examples(model, 8, 1)[0]!;
    const y = tf.randomUniform([8, 3], 0, 1, 'float32', 2);
    const { scope } = emptying(model, ['b0_0_conv']);
    const callback = prune(scores(), { budget: { count: 3 }, scope: scope!, wholeLayers: true });
    await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: callback });
    const small = await shrink(model);
    expect(difference(outputsOf(model, [x]), outputsOf(small, [x]))).toBeLessThan(TOLERANCE);
    expect(layerNames(small)).not.toContain('b0_0_conv');
    const again = await plan(model, { pruner: scores(), budget: { count: { b0_0_conv: 3, b1_0_conv: 1 } } });
    expect(again.groups.map(({ id, remove }) => [id, remove.length])).toEqual([
      ['b0_0_conv', 3],
      ['b1_0_conv', 1],
    ]);
    const { history } = await small.fit(x, y, { epochs: 8, verbose: 0 });
    expect(history.loss!.at(-1)).toBeLessThan(history.loss![0] as number);
  });
});

describe('ChannelBias', () => {
  it('is pruned as any layer, and trained: its bias moves', async () => {
    const model = resNet([standard, standard]);
    const x = examples(model, 8, 1);
    const small = await shrink(model, await plan(model, emptying(model, ['b1_0_conv'])));
    const bias = small.getLayer('b1_sum_bias').weights[0]!;
    const before = bias.read().dataSync().slice();
    small.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    await small.fit(x, tf.zeros([8, 3]), { epochs: 2, verbose: 0 });
    expect(bias.read().dataSync()).not.toEqual(before);
    const smaller = await plan(small, { pruner: scores(0, 1), budget: { count: 1 }, scope: ['stem'] });
    expect((await expectSame(small, smaller, x)).getLayer('b1_sum_bias').weights[0]!.shape).toEqual([3]);
  });

  it('works along any axis but the batch', () => {
    const x = tf.zeros([1, 2, 3]);
    const apply = (axis?: number) => {
      const layer = new ChannelBias(axis === undefined ? {} : { axis });
      layer.apply(x);
      layer.weights[0]!.write(tf.range(1, layer.weights[0]!.shape[0]! + 1));
      return Array.from((layer.apply(x) as tf.Tensor).dataSync());
    };
    expect(apply()).toEqual([1, 2, 3, 1, 2, 3]);
    expect(apply(-2)).toEqual([1, 1, 1, 2, 2, 2]);
    expect(apply(1)).toEqual([1, 1, 1, 2, 2, 2]);
    expect(() => apply(0)).toThrow("[core] ChannelBias needs an axis other than the batch's 0, got 0");
    expect(() => apply(0.5)).toThrow('got 0.5');
  });
});

describe('removeLayer', () => {
  it('takes the branch around a layer that nothing can be joined to, and leaves the means of what it added', async () => {
    const model = resNet([{ ...standard, depth: 2 }]);
    const x = examples(model, 16, 1);
    const found = removableLayers(model).find(({ layer }) => layer === 'b0_1_conv');
    expect(found).toMatchObject({ removable: true });
    expect(found?.goes).toContain('b0_sum');
    const data = { x, batchSize: 8 };
    const [without, means] = [
      await removeLayer(model, { layer: 'b0_1_conv' }),
      await removeLayer(model, { layer: 'b0_1_conv', data }),
    ];
    expect(layerNames(without)).toEqual(['image', 'stem', 'b0_out', 'pool', 'logits']);
    const before = outputsOf(model, x);
    expect(difference(before, outputsOf(means, x))).toBeLessThan(difference(before, outputsOf(without, x)));
  });
});

describe('a layer that must stay', () => {
  it('keeps a unit, and the plan says that it was spared', async () => {
    const chain = () =>
      sequential({
        layers: [
          layers.dense({ units: 3, activation: 'tanh', inputShape: [4], name: 'hidden' }),
          layers.dense({ units: 2, name: 'logits' }),
        ],
      });
    const options = { pruner: scores(0, 1, 2), budget: { threshold: 9 } };
    const made = await plan(chain(), { ...options, wholeLayers: true });
    expect(made.groups[0]?.remove).toEqual([0, 1]);
    expect(made.spared).toEqual(['hidden']);
    const usual = await plan(chain(), options);
    expect(usual.spared).toBeUndefined();
    expect(usual.groups).toEqual(made.groups);
    expect((await plan(chain(), { ...options, budget: { threshold: 2 }, wholeLayers: true })).spared).toBe(
      undefined,
    );
  });

  it('stays without the option, and where a constant would show at the border', async () => {
    const model = resNet([{ ...standard, depth: 2 }]);
    const options = emptying(model, ['b0_0_conv']);
    expect((await plan(model, { ...options, wholeLayers: false })).groups[0]?.remove).toHaveLength(2);
    const made = await plan(model, options);
    expect(made.groups[0]?.remove, 'the next but one reads 3x3 pixels').toHaveLength(3);
    const deep = resNet([{ ...standard, depth: 3 }]);
    const spared = await plan(deep, emptying(deep, ['b0_0_conv']));
    expect(spared.spared).toEqual(['b0_0_conv']);
    expect(spared.groups[0]?.remove).toHaveLength(2);
  });

  it('is named with the reason if a plan empties it all the same', async () => {
    const model = resNet([standard]);
    const made = await plan(model, { pruner: scores(), budget: { count: 3 }, scope: ['stem'] });
    const edited = { ...made, groups: [{ ...made.groups[0]!, remove: [0, 1, 2, 3] }] };
    await expect(shrink(model, edited)).rejects.toThrow(
      /the plan leaves no unit at stem\/kernel \(nothing else makes what the model puts out\): at least one must stay/,
    );
  });
});
