import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { mask } from '../surgery/mask.ts';
import { shrink } from '../surgery/shrink.ts';
import { examples, liven } from '../test-models/build.ts';
import { difference, outputsOf } from '../test-models/compare.ts';
import { pairs, scores } from '../test-models/pruners.ts';
import { addOutgoing, type Compensation, foldMean, none, scaleOutgoing } from './compensation.ts';
import { leastSquares } from './least-squares.ts';
import { plan } from './plan.ts';

/** One producer, and a way from it to the consumer `out`. */
interface Chain {
  readonly shape: readonly number[];
  readonly producer: (units: number) => layers.Layer;
  readonly between?: () => layers.Layer;
  readonly consumer: (useBias: boolean) => layers.Layer;
  readonly behind?: () => layers.Layer;
}

const chains: Readonly<Record<string, Chain>> = {
  'Dense into Dense': {
    shape: [5],
    producer: (units) => layers.dense({ units, name: 'units' }),
    consumer: (useBias) => layers.dense({ units: 3, useBias, name: 'out' }),
  },
  'Conv2D into Conv2D': {
    shape: [6, 5, 2],
    producer: (filters) => layers.conv2d({ filters, kernelSize: 3, name: 'units' }),
    consumer: (useBias) => layers.conv2d({ filters: 2, kernelSize: 2, useBias, name: 'out' }),
  },
  'Conv1D into Conv1D': {
    shape: [8, 2],
    producer: (filters) => layers.conv1d({ filters, kernelSize: 3, name: 'units' }),
    consumer: (useBias) => layers.conv1d({ filters: 2, kernelSize: 2, useBias, name: 'out' }),
  },
  'Conv2D through Flatten into Dense': {
    shape: [4, 5, 2],
    producer: (filters) => layers.conv2d({ filters, kernelSize: 3, name: 'units' }),
    between: () => layers.flatten({ name: 'flat' }),
    consumer: (useBias) => layers.dense({ units: 3, useBias, name: 'out' }),
  },
};

function modelFrom({ shape, producer, between, consumer, behind }: Chain, useBias = true): LayersModel {
  const source = input({ shape: [...shape] });
  const made = [producer(4), between?.(), consumer(useBias), behind?.()].filter(
    (layer) => layer !== undefined,
  );
  const outputs = made.reduce<SymbolicTensor>(
    (tensor, layer) => layer.apply(tensor) as SymbolicTensor,
    source,
  );
  const model = modelOf({ inputs: source, outputs });
  liven(model, 4);
  return model;
}

/** Makes unit `to` compute the sum of others (0, 1, ...), each times its factor, plus `constant`. */
function sumUnits(model: LayersModel, factors: readonly number[], to: number, constant: number): void {
  tf.tidy(() => {
    const [kernel, bias] = model.getLayer('units').weights;
    const sumAt = (values: ArrayLike<number>, start: number) =>
      factors.reduce((sum, factor, from) => sum + factor * values[start + from]!, 0);
    const values = kernel!.read().dataSync().slice();
    const units = kernel!.shape.at(-1)!;
    for (let i = 0; i < values.length; i += units) values[i + to] = sumAt(values, i);
    kernel!.write(tf.tensor(values, kernel!.shape as number[]));
    const biases = bias!.read().dataSync().slice();
    biases[to] = sumAt(biases, 0) + constant;
    bias!.write(tf.tensor(biases, [units]));
  });
}

/** Makes unit `to` compute `factor` times what unit `from` does, plus `constant`. */
const copyUnit = (model: LayersModel, from: number, to: number, factor: number, constant: number): void =>
  sumUnits(
    model,
    Array.from({ length: from + 1 }, (_, unit) => (unit === from ? factor : 0)),
    to,
    constant,
  );

const into = (unit: number, partner: number) => ({ unit, into: partner, score: 0 });

async function damage(model: LayersModel, compensation: Compensation, x: tf.Tensor[]): Promise<number> {
  const before = outputsOf(model, x);
  const pruner = compensation.partners ? pairs(into(2, 1)) : scores(9, 9, 0, 9);
  const made = await plan(model, { pruner, budget: { count: 1 }, compensation, data: { x } });
  expect(made.groups).toMatchObject([{ id: 'units', remove: [2] }]);
  const shrunk = outputsOf(await shrink(model, made), x);
  const masked = outputsOf(await mask(model, made), x);
  expect(difference(masked, shrunk)).toBeLessThan(1e-5);
  return difference(before, shrunk);
}

/** As most convolutional networks have them: the moving mean takes what a bias would. */
const normalised: Readonly<Record<string, Chain>> = {
  'Conv2D into Conv2D without a bias, normalised': {
    ...chains['Conv2D into Conv2D']!,
    consumer: () => layers.conv2d({ filters: 2, kernelSize: 2, useBias: false, name: 'out' }),
    behind: () => layers.batchNormalization({ name: 'norm' }),
  },
  'Flatten into Dense without a bias, normalised without scale and shift': {
    ...chains['Conv2D through Flatten into Dense']!,
    consumer: () => layers.dense({ units: 3, useBias: false, name: 'out' }),
    behind: () => layers.batchNormalization({ scale: false, center: false, name: 'norm' }),
  },
};

for (const [name, chain] of Object.entries({ ...chains, ...normalised })) {
  describe(name, () => {
    it('add: a unit and its copy are as good as the one with both outgoing weights', async () => {
      const model = modelFrom(chain);
      copyUnit(model, 1, 2, 1, 0);
      expect(await damage(model, addOutgoing(), examples(model, 7, 1))).toBeLessThan(1e-5);
    });

    it('scale: so are a unit and a scaled and shifted one', async () => {
      const model = modelFrom(chain);
      copyUnit(model, 1, 2, -2.5, 0.7);
      expect(await damage(model, scaleOutgoing(), examples(model, 7, 1))).toBeLessThan(1e-5);
    });

    it('mean: a constant unit is as good as a bias', async () => {
      const model = modelFrom(chain);
      copyUnit(model, 1, 2, 0, 0.7);
      expect(await damage(model, foldMean(), examples(model, 7, 1))).toBeLessThan(1e-5);
    });

    it('scale: a constant unit, too, whoever its partner is', async () => {
      const model = modelFrom(chain);
      copyUnit(model, 1, 2, 0, 0.7);
      expect(await damage(model, scaleOutgoing(), examples(model, 7, 1))).toBeLessThan(1e-5);
    });

    it('least squares: so are a unit and what others sum up to, shifted', async () => {
      const model = modelFrom(chain);
      sumUnits(model, [1.5, -0.8], 2, 0.7);
      expect(await damage(model, leastSquares({ ridge: 1e-7 }), examples(model, 12, 1))).toBeLessThan(1e-5);
    });

    it('least squares: without a bias, too, if there is no shift', async () => {
      const model = modelFrom(chain, false);
      sumUnits(model, [1.5, -0.8], 2, 0);
      expect(await damage(model, leastSquares({ ridge: 1e-7 }), examples(model, 12, 1))).toBeLessThan(1e-5);
    });

    it('least squares: a constant unit is as good as a bias', async () => {
      const model = modelFrom(chain);
      copyUnit(model, 1, 2, 0, 0.7);
      expect(await damage(model, leastSquares(), examples(model, 7, 1))).toBeLessThan(1e-5);
    });

    it('none: all of these do damage', async () => {
      const model = modelFrom(chain);
      copyUnit(model, 1, 2, 1, 0);
      expect(await damage(model, none(), examples(model, 7, 1))).toBeGreaterThan(1e-3);
    });

    it.skipIf(chain.behind)('says so where there is no bias to take the mean', async () => {
      const model = modelFrom(chain, false);
      const x = examples(model, 3, 1);
      const made = await plan(model, {
        pruner: scores(9, 9, 0, 9),
        budget: { count: 1 },
        compensation: foldMean(),
        data: { x },
      });
      expect(made.notes).toEqual([
        "out has no bias that could take over the means of the removed units of 'units'",
      ]);
      expect(made.folds).toMatchObject([{ units: [{ unit: 2, into: [] }] }]);
    });
  });
}

describe('a normalisation', () => {
  const without = { useBias: false, filters: 2, kernelSize: 1, name: 'out' } as const;
  const norm = () => layers.batchNormalization({ name: 'norm' });
  const ways: Readonly<Record<string, (tensor: SymbolicTensor) => unknown>> = {
    'behind an activation': (tensor) =>
      norm().apply(layers.conv2d({ ...without, activation: 'relu' }).apply(tensor)),
    'of what another layer reads, too': (tensor) => {
      const read = layers.conv2d(without).apply(tensor) as SymbolicTensor;
      return layers.add().apply([norm().apply(read) as SymbolicTensor, read]);
    },
    'of two layers': (tensor) => {
      const shared = norm();
      const [one, two] = [without, { ...without, name: 'two' }].map(
        (args) => shared.apply(layers.conv2d(args).apply(tensor)) as SymbolicTensor,
      );
      return layers.add().apply([one!, two!]);
    },
    'of one layer in two places': (tensor) => {
      const shared = layers.conv2d(without);
      const other = layers.activation({ activation: 'tanh' }).apply(tensor) as SymbolicTensor;
      const [one, two] = [tensor, other].map((read) => shared.apply(read) as SymbolicTensor);
      return layers.add().apply([norm().apply(one!) as SymbolicTensor, two!]);
    },
  };

  it.each(Object.keys(ways))('%s takes no mean', async (way) => {
    const source = input({ shape: [4, 4, 2] });
    const units = layers.conv2d({ filters: 4, kernelSize: 2, name: 'units' }).apply(source) as SymbolicTensor;
    const model = modelOf({ inputs: source, outputs: ways[way]!(units) as SymbolicTensor });
    liven(model, 4);
    const x = examples(model, 3, 1);
    const options = { pruner: scores(9, 9, 0, 9), budget: { count: 1 }, data: { x } };
    const made = await plan(model, { ...options, compensation: foldMean() });
    expect(made.notes.join()).toContain('has no bias that could take over the means');
    const refitted = await plan(model, { ...options, compensation: leastSquares() });
    expect(refitted.refits!.every(({ bias }) => bias === undefined)).toBe(true);
    const small = await shrink(model, refitted);
    expect(difference(outputsOf(await mask(model, refitted), x), outputsOf(small, x))).toBeLessThan(1e-5);
  });
});

describe('features', () => {
  it('add: a feature and its copy', async () => {
    const model = modelFrom(chains['Conv2D through Flatten into Dense']!);
    // constant filters: each position of a channel is as the others
    copyUnit(model, 1, 2, 0, 0.7);
    const x = examples(model, 4, 1);
    const before = outputsOf(model, x);
    // unit 2 at positions 0 and 1 of [2, 3, 4]
    const made = await plan(model, { pruner: pairs(into(2, 6)), scope: ['feature'] });
    expect(made.groups).toMatchObject([{ id: 'flat', kind: 'feature', size: 24, remove: [2] }]);
    const small = await shrink(model, made);
    expect(small.getLayer('flat').outputShape).toEqual([null, 23]);
    expect(difference(before, outputsOf(small, x))).toBeLessThan(1e-5);
  });

  it('mean and scale: a constant feature, by 1 example or 5, in batches that do not divide them', async () => {
    for (const compensation of [foldMean(), scaleOutgoing()]) {
      const model = modelFrom(chains['Conv2D through Flatten into Dense']!);
      copyUnit(model, 1, 2, 0, 0.7);
      for (const [count, batchSize] of [
        [1, 1],
        [5, 2],
        [5, 256],
      ] as const) {
        const x = examples(model, count, 1);
        const made = await plan(model, {
          pruner: pairs(into(2, 1)),
          scope: ['feature'],
          compensation,
          data: { x, batchSize },
        });
        expect(difference(outputsOf(model, x), outputsOf(await shrink(model, made), x))).toBeLessThan(1e-5);
      }
    }
  });
});

it('folds into every consumer, and says which one can not take over', async () => {
  const source = input({ shape: [6, 5, 2] });
  const units = layers.conv2d({ filters: 4, kernelSize: 3, name: 'units' }).apply(source) as SymbolicTensor;
  const outputs = [
    layers.conv2d({ filters: 2, kernelSize: 1, name: 'a' }),
    layers.conv2d({ filters: 2, kernelSize: 2, name: 'b' }),
    layers.separableConv2d({ filters: 2, kernelSize: 2, name: 'c' }),
  ].map((layer) => layer.apply(units) as SymbolicTensor);
  const model = modelOf({ inputs: source, outputs });
  const made = await plan(model, { pruner: pairs(into(2, 1)) });
  expect(made.folds).toEqual(
    ['a', 'b'].map((layer) => ({
      group: 'units',
      layer,
      weight: 'kernel',
      units: [{ unit: 2, into: [[1, 1]] }],
    })),
  );
  expect(made.notes).toEqual(["c/pointwise_kernel takes over nothing from the removed units of 'units'"]);
});

it('means are those of the data: hand-worked', async () => {
  const source = input({ shape: [2] });
  const hidden = layers.dense({ units: 2, useBias: false, name: 'units' }).apply(source) as SymbolicTensor;
  const output = layers.dense({ units: 1, name: 'out' }).apply(hidden) as SymbolicTensor;
  const model = modelOf({ inputs: source, outputs: output });
  model.setWeights([
    tf.tensor2d([
      [1, 0],
      [0, 1],
    ]),
    tf.tensor2d([[10], [100]]),
    tf.tensor1d([1000]),
  ]);
  const x = tf.tensor2d([
    [1, 2],
    [3, 6],
  ]);
  const made = await plan(model, {
    pruner: scores(0, 1),
    budget: { count: 1 },
    compensation: foldMean(),
    data: { x },
  });
  // the mean of unit 0 is 2
  expect(made.folds).toEqual([
    { group: 'units', layer: 'out', weight: 'kernel', units: [{ unit: 0, into: [], constants: [2] }] },
  ]);
  const small = await shrink(model, made);
  expect(small.getWeights().map((weight) => Array.from(weight.dataSync()))).toEqual([[0, 1], [100], [1020]]);
  // slope: unit 0 is half of unit 1
  const scaled = await plan(model, {
    pruner: pairs(into(0, 1)),
    compensation: scaleOutgoing(),
    data: { x },
  });
  expect(scaled.folds[0]?.units[0]?.into[0]?.[1]).toBeCloseTo(0.5, 5);
  const halved = await shrink(model, scaled);
  expect(halved.getLayer('out').getWeights()[0]?.dataSync()[0]).toBeCloseTo(105, 3);
});
