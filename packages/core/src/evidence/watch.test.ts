import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  Callback,
  CustomCallback,
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { prune } from '../callback.ts';
import { analyzeInternals } from '../graph/analyze.ts';
import { none } from '../plan/compensation.ts';
import { watchedGroups } from '../plan/judge.ts';
import { plan } from '../plan/plan.ts';
import type { Evidence, ScorePruner, Seen } from '../pruner.ts';
import { mask } from '../surgery/mask.ts';
import { liven } from '../test-models/build.ts';
import { smallMlp, smallResNet, task } from '../test-models/fixed.ts';
import { scores } from '../test-models/pruners.ts';
import { watch } from '../watch-callback.ts';
import { Watch } from './watch.ts';

type Rows = number[][];
interface Record {
  readonly group: string;
  readonly patterns: number;
  readonly seen: { readonly [field: string]: Rows };
}

const rows = (tensor: tf.Tensor): Rows => tensor.arraySync() as Rows;

/** Writes down all that it sees. */
function recorder(...needs: Evidence[]): { pruner: ScorePruner; records: Record[] } {
  const records: Record[] = [];
  const fields: { [field in Evidence]: (seen: Seen) => { [name: string]: Rows } } = {
    activations: ({ activations }) => ({ activations: rows(activations) }),
    errors: ({ errors }) => ({ errors: rows(errors) }),
    losses: ({ losses }) => ({ losses: rows(losses) }),
    updates: ({ updates: { incoming, outgoing } }) => ({
      gradient: rows(tf.squeeze(incoming.gradient, [0])),
      before: rows(tf.squeeze(incoming.before, [0])),
      after: rows(tf.squeeze(incoming.after, [0])),
      outGradient: rows(tf.squeeze(outgoing.gradient, [0])),
      outBefore: rows(tf.squeeze(outgoing.before, [0])),
      outAfter: rows(tf.squeeze(outgoing.after, [0])),
    }),
  };
  const pruner: ScorePruner = {
    ...scores(),
    name: 'recorder',
    needs,
    onBatchEnd: (seen, state) => {
      const parts = needs.map((need) => fields[need](seen));
      const weights = { incoming: rows(seen.incoming), outgoing: rows(seen.outgoing) };
      records.push({
        group: seen.group,
        patterns: seen.patterns,
        seen: Object.assign({}, weights, ...parts),
      });
      return state;
    },
  };
  return { pruner, records };
}

class Throwing extends Callback {
  override async onBatchEnd(): Promise<void> {
    throw new Error('no idea');
  }
}

const budget = { count: 1 };
const once = { epochs: 1, shuffle: false, verbose: 0 } as const;
const wrapped = (model: LayersModel) => model.layers.filter((layer) => Object.hasOwn(layer, 'call')).length;

function expectClose(found: Rows | undefined, wanted: Rows, digits = 4): void {
  expect(found?.map((row) => row.length)).toEqual(wanted.map((row) => row.length));
  found?.forEach((row, i) => {
    row.forEach((value, j) => {
      expect(value, `[${i}][${j}]`).toBeCloseTo(wanted[i]![j]!, digits);
    });
  });
}

/** A network that can be computed by hand: tanh hidden units, and an offset to nudge each of them. */
function byHand(model: LayersModel, x: Rows, y: Rows) {
  const [w1, b1, w2, b2] = ['units', 'out']
    .flatMap((name) => model.getLayer(name).getWeights())
    .map((weight) => weight.arraySync());
  const hidden = x.map((row) =>
    (b1 as number[]).map((bias, u) =>
      Math.tanh(row.reduce((sum, value, i) => sum + value * (w1 as Rows)[i]![u]!, bias)),
    ),
  );
  /** The loss of one pattern, with its hidden activations given. */
  const loss = (pattern: number, h: readonly number[]) => {
    const outputs = (b2 as number[]).map((bias, o) =>
      h.reduce((sum, value, u) => sum + value * (w2 as Rows)[u]![o]!, bias),
    );
    return outputs.reduce((sum, value, o) => sum + (value - y[pattern]![o]!) ** 2, 0) / outputs.length;
  };
  const errors = hidden.map((h, pattern) =>
    h.map((_, u) => {
      const nudged = (by: number) =>
        loss(
          pattern,
          h.map((value, v) => (v === u ? value + by : value)),
        );
      return (nudged(1e-4) - nudged(-1e-4)) / 2e-4;
    }),
  );
  return { hidden, errors };
}

function tinyMlp(): LayersModel {
  const source = input({ shape: [3] });
  const units = layers.dense({ units: 4, activation: 'tanh', name: 'units' }).apply(source) as SymbolicTensor;
  const output = layers.dense({ units: 2, name: 'out' }).apply(units) as SymbolicTensor;
  const model = modelOf({ inputs: source, outputs: output });
  liven(model, 3);
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
  return model;
}

describe('plan(model, { data })', () => {
  for (const batchSize of [1, 2, 5, 9]) {
    it(`shows activations, and errors as finite differences find them (batches of ${batchSize})`, async () => {
      const model = tinyMlp();
      const { x, y } = task(model, 5);
      const { pruner, records } = recorder('activations', 'errors');
      await plan(model, { pruner, budget, data: { x, y, batchSize } });
      const { hidden, errors } = byHand(model, rows(x), rows(y));
      expect(records).toHaveLength(Math.ceil(5 / batchSize));
      expectClose(
        records.flatMap(({ seen }) => seen.activations!),
        hidden,
      );
      expectClose(
        records.flatMap(({ seen }) => seen.errors!),
        errors,
        3,
      );
    });
  }

  it('shows a row for each position of a channel, behind its activation and normalisation', async () => {
    const model = smallResNet();
    const { x } = task(model, 2);
    const { pruner, records } = recorder('activations');
    await plan(model, { pruner, budget, scope: ['stem'], data: { x } });
    const to = (name: string) =>
      modelOf({ inputs: model.inputs, outputs: model.getLayer(name).outboundNodes[0]!.inputTensors.at(-1)! });
    const stem = tf.reshape(to('stem_act').predict(x) as tf.Tensor, [-1, 6]);
    const block = tf.reshape(to('block').predict(x) as tf.Tensor, [-1, 6]);
    // both branches of the Add make the units: [2 * 6 * 6, 6] of each, pattern by pattern
    const [stems, blocks] = [rows(stem), rows(block)];
    const first = [...stems.slice(0, 36), ...blocks.slice(0, 36)];
    expectClose(records[0]?.seen.activations, [...first, ...stems.slice(36), ...blocks.slice(36)]);
    expect(records[0]?.patterns).toBe(2);
  });

  it('shows the weights around the units, across Flatten', async () => {
    const source = input({ shape: [3, 3, 1] });
    const conv = layers.conv2d({ filters: 2, kernelSize: 2, name: 'conv' }).apply(source) as SymbolicTensor;
    const flat = layers.flatten({ name: 'flat' }).apply(conv) as SymbolicTensor;
    const model = modelOf({
      inputs: source,
      outputs: layers.dense({ units: 1, name: 'out' }).apply(flat) as SymbolicTensor,
    });
    model.getLayer('conv').setWeights([tf.reshape(tf.range(0, 8), [2, 2, 1, 2]), tf.tensor1d([8, 9])]);
    model.getLayer('out').setWeights([tf.reshape(tf.range(10, 18), [8, 1]), tf.tensor1d([0])]);
    const shown: Rows[] = [];
    await plan(model, {
      pruner: {
        name: 'weights',
        score: ({ incoming, bias, outgoing }) => {
          shown.push(rows(incoming), [Array.from(bias.dataSync())], rows(outgoing));
          return tf.zeros(bias.shape);
        },
      },
      budget,
    });
    expect(shown).toEqual([
      [
        [0, 1],
        [2, 3],
        [4, 5],
        [6, 7],
      ],
      [[8, 9]],
      [
        [10, 12, 14, 16],
        [11, 13, 15, 17],
      ],
    ]);
  });

  it('shows the gammas that units pass: of the units left, and none where nothing scales', async () => {
    const model = smallResNet();
    const gamma = [1, 2, 3, 4, 5, 6];
    for (const [name, factor] of [['stem_norm', 1] as const, ['block', -10] as const]) {
      const layer = model.getLayer(name);
      const weights = layer.getWeights().map((weight) => weight.clone());
      const at = layer.weights.findIndex(({ originalName }) => originalName.endsWith('gamma'));
      weights[at] = tf.mul(tf.tensor1d(gamma), factor);
      layer.setWeights(weights);
    }
    const shown: { [group: string]: Rows } = {};
    const pruner: ScorePruner = {
      name: 'scales',
      score: ({ group, bias, scales }) => {
        shown[group] = rows(scales);
        return tf.range(0, bias.size);
      },
    };
    const found = await plan(model, { pruner, budget });
    // the stem and the branch are added: one group, which passes both
    expect(shown.stem).toEqual([gamma, gamma.map((value) => -10 * value)]);
    expect(shown.hidden).toEqual([]);
    await mask(model, found);
    await plan(model, { pruner, budget: { count: 2 } });
    expect(shown.stem).toEqual([gamma.slice(1), gamma.slice(1).map((value) => -10 * value)]);
  });

  it('shows features one by one, with their errors', async () => {
    const model = smallResNet();
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const { x, y } = task(model, 2);
    const { pruner, records } = recorder('activations', 'errors');
    await plan(model, { pruner, budget, scope: ['feature'], data: { x, y } });
    expect(records[0]?.seen.activations?.map((row) => row.length)).toEqual([48, 48]);
    expect(records[0]?.seen.errors?.flat().some((error) => Math.abs(error) > 1e-6)).toBe(true);
  });

  it('shows nothing of units that are masked', async () => {
    const model = tinyMlp();
    await mask(model, await plan(model, { pruner: scores(9, 0, 9, 9), budget }));
    const { x, y } = task(model, 3);
    const { pruner, records } = recorder('activations', 'errors');
    await plan(model, { pruner, budget: { count: 2 }, data: { x, y } });
    const { hidden } = byHand(model, rows(x), rows(y));
    expectClose(
      records[0]?.seen.activations,
      hidden.map((row) => row.filter((_, u) => u !== 1)),
    );
    expect(records[0]?.seen.incoming?.[0]).toHaveLength(3);
  });
});

describe('model.fit', () => {
  it('shows activations and errors of each batch, as finite differences find them', async () => {
    const model = tinyMlp();
    const { x, y } = task(model, 5);
    const { pruner, records } = recorder('activations', 'errors');
    const callback = watch({ pruner, budget });
    // no step, so that all batches see one network
    (model.optimizer as tf.SGDOptimizer).setLearningRate(0);
    await model.fit(x, y, { ...once, batchSize: 2, callbacks: callback });
    const { hidden, errors } = byHand(model, rows(x), rows(y));
    expect(records).toHaveLength(3);
    expectClose(
      records.flatMap(({ seen }) => seen.activations!),
      hidden,
    );
    expectClose(
      records.flatMap(({ seen }) => seen.errors!),
      errors,
      3,
    );
    callback.dispose();
  });

  it('shows what the optimizer does: gradient, before and after', async () => {
    const model = tinyMlp();
    const { x, y } = task(model, 6);
    const { pruner, records } = recorder('updates');
    const callback = watch({ pruner, budget });
    const kernels = () => ['units', 'out'].map((name) => rows(model.getLayer(name).getWeights()[0]!));
    const first = kernels();
    await model.fit(x, y, { ...once, batchSize: 3, callbacks: callback });
    const last = kernels();
    const [one, two] = records.map(({ seen }) => seen);
    expectClose(one?.before, first[0]!, 6);
    expectClose(one?.outBefore, first[1]!, 6);
    expectClose(two?.before, one!.after!, 6);
    expectClose(two?.after, last[0]!, 6);
    expectClose(two?.outAfter, last[1]!, 6);
    for (const step of [one!, two!]) {
      expectClose(
        step.after,
        step.before!.map((row, i) => row.map((w, j) => w - 0.1 * step.gradient![i]![j]!)),
        5,
      );
      expectClose(
        step.outAfter,
        step.outBefore!.map((row, i) => row.map((w, j) => w - 0.1 * step.outGradient![i]![j]!)),
        5,
      );
    }
    callback.dispose();
  });

  it('shows the gradient that finite differences find', async () => {
    const model = tinyMlp();
    const { x, y } = task(model, 4);
    const before = model.getWeights().map((weight) => weight.clone());
    const loss = (by: number) => {
      const kernel = rows(before[0]!);
      kernel[1]![2]! += by;
      model.setWeights([tf.tensor2d(kernel), ...before.slice(1)]);
      return (model.evaluate(x, y, { batchSize: 4 }) as tf.Scalar).dataSync()[0]!;
    };
    const slope = (loss(1e-2) - loss(-1e-2)) / 2e-2;
    model.setWeights(before);
    const { pruner, records } = recorder('updates');
    const callback = watch({ pruner, budget });
    await model.fit(x, y, { ...once, batchSize: 4, callbacks: callback });
    expect(records[0]?.seen.gradient?.[1]?.[2]).toBeCloseTo(slope, 3);
    callback.dispose();
  });

  it('shows nothing of the validation', async () => {
    const model = tinyMlp();
    const { x, y } = task(model, 6);
    const { pruner, records } = recorder('activations');
    const callback = watch({ pruner, budget });
    await model.fit(x, y, { ...once, batchSize: 2, validationSplit: 0.5, callbacks: callback });
    expect(records.map(({ seen }) => seen.activations?.length)).toEqual([2, 1]);
    callback.dispose();
  });

  it.each(['activations', 'errors'] as const)('says so if layers were not called, asked for %s', (need) => {
    const analysis = analyzeInternals(smallMlp());
    const groups = watchedGroups(analysis, {}, undefined);
    const unseen = new Watch(analysis, groups, [recorder(need).pruner], none());
    expect(() => unseen.batchEnd()).toThrow("[recorder] onBatchEnd threw: nothing was seen of 'first'");
    unseen.dispose();
  });

  it('says that no error comes back to what is frozen', async () => {
    const model = smallMlp();
    model.getLayer('first').trainable = false;
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const { x, y } = task(model, 4);
    const callback = watch({ pruner: recorder('errors').pruner, budget });
    await expect(model.fit(x, y, { ...once, callbacks: callback })).rejects.toThrow(
      "no error came back to 'first'",
    );
    expect(wrapped(model)).toBe(0);
  });
});

describe('nothing is collected that nobody asked for', () => {
  const during = async (...needs: Evidence[]) => {
    const model = smallMlp();
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const { x, y } = task(model, 4);
    let [calls, steps] = [0, false];
    const look = new CustomCallback({
      onBatchEnd: async () => {
        calls = wrapped(model);
        steps = Object.hasOwn(model.optimizer, 'applyGradients');
      },
    });
    const callback = watch({ pruner: recorder(...needs).pruner, budget });
    await model.fit(x, y, { ...once, callbacks: [callback, look] });
    expect(wrapped(model), 'after').toBe(0);
    expect(Object.hasOwn(model.optimizer, 'applyGradients'), 'after').toBe(false);
    callback.dispose();
    return [calls, steps];
  };

  it('no layer is wrapped for a pruner of weights', async () => {
    expect(await during()).toEqual([0, false]);
  });
  it('the layers of the units for activations or errors, and no optimizer', async () => {
    expect(await during('activations')).toEqual([2, false]);
    expect(await during('errors')).toEqual([2, false]);
  });
  it('the optimizer for updates, and no layer', async () => {
    expect(await during('updates')).toEqual([0, true]);
  });
});

it('gives layers their own call back when a pruner throws, in plan and in fit', async () => {
  const model = tinyMlp();
  const { x, y } = task(model, 4);
  const own = () => tf.tensor1d([0]);
  const other = model.getLayer('units').call.bind(model.getLayer('units'));
  model.getLayer('units').call = other;
  const lostBy = async (run: () => Promise<unknown>) => {
    const tensors = tf.memory().numTensors;
    await expect(run()).rejects.toThrow('no idea');
    return tf.memory().numTensors - tensors;
  };
  const training = (callbacks: Callback) => model.fit(x, y, { ...once, callbacks });
  const pruner = (): ScorePruner => ({
    ...scores(),
    name: 'bad',
    needs: ['activations', 'errors', 'updates'],
    init: () => own(),
    onBatchEnd: ({ activations }) => {
      tf.add(activations, 1);
      throw new Error('no idea');
    },
  });
  const inPlan: ScorePruner = { ...pruner(), needs: ['activations', 'errors'] };
  expect(await lostBy(() => plan(model, { pruner: inPlan, budget, data: { x, y } }))).toBe(0);
  // TensorFlow.js itself loses some when a callback throws
  const lost = await lostBy(() => training(new Throwing()));
  for (const callback of [watch({ pruner: pruner(), budget }), prune(pruner(), { budget })]) {
    expect(await lostBy(() => training(callback))).toBe(lost);
  }
  // what somebody else had put there is there again
  expect(model.getLayer('units').call).toBe(other);
  expect(Object.hasOwn(model.getLayer('out'), 'call')).toBe(false);
  expect(Object.hasOwn(model.optimizer, 'applyGradients')).toBe(false);
});
