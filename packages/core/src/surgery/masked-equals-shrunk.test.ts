import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { analyze } from '../graph/analyze.ts';
import { addOutgoing, foldMean, none, scaleOutgoing } from '../plan/compensation.ts';
import { leastSquares } from '../plan/least-squares.ts';
import { type PlanOptions, plan } from '../plan/plan.ts';
import type { Plan } from '../plan/types.ts';
import { modelDescription } from '../test-models/arbitrary.ts';
import { build, examples, type ModelDescription } from '../test-models/build.ts';
import { difference, namesOf, outputsOf, reloaded } from '../test-models/compare.ts';
import { describeCase } from '../test-models/describe.ts';
import { perturb } from '../test-models/perturb.ts';
import { anyPairs, anyScores } from '../test-models/pruners.ts';
import { mask } from './mask.ts';
import { shrink } from './shrink.ts';
import { writeWeight } from './weights.ts';

/** Relative to the largest output. */
const TOLERANCE = 1e-5;
/** Cases that count; more by `ESPALIER_CASES=10000 npx vitest run masked-equals`, others by `ESPALIER_SEED`. */
const CASES = Number(process.env.ESPALIER_CASES ?? 500);

/** The kinds of layers that were in cases that counted. */
const met = new Set<string>();
const kinds = [
  ...['Dense', 'Conv1D', 'Conv2D', 'Conv3D', 'Conv2DTranspose', 'Conv3DTranspose', 'SeparableConv2D'],
  ...['DepthwiseConv2D', 'Embedding', 'SimpleRNN', 'GRU', 'LSTM', 'ConvLSTM2D', 'RNN', 'SimpleRNNCell'],
  ...['GRUCell', 'LSTMCell', 'StackedRNNCells', 'Bidirectional', 'TimeDistributed', 'BatchNormalization'],
  ...['LayerNormalization', 'Softmax', 'Activation', 'ReLU', 'LeakyReLU', 'ELU', 'ThresholdedReLU', 'PReLU'],
  ...[
    'Dropout',
    'SpatialDropout1D',
    'GaussianNoise',
    'GaussianDropout',
    'AlphaDropout',
    'Rescaling',
    'Swish',
  ],
  ...['Flatten', 'Reshape', 'Permute', 'RepeatVector', 'ZeroPadding2D', 'Cropping2D', 'UpSampling2D'],
  ...['MaxPooling1D', 'MaxPooling2D', 'MaxPooling3D', 'AveragePooling1D', 'AveragePooling2D'],
  ...['AveragePooling3D', 'GlobalMaxPooling1D', 'GlobalMaxPooling2D', 'GlobalAveragePooling1D'],
  ...['GlobalAveragePooling2D', 'Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum'],
  ...['Concatenate', 'Dot', 'Doubling'],
];

interface PlanDescription {
  readonly scope: 'default' | 'all' | 'some';
  readonly budget: { readonly fraction: number } | { readonly count: number };
  readonly compensation: number;
  /** Planned, masked and planned again. */
  readonly twice: boolean;
  readonly seed: number;
}

const planDescription: fc.Arbitrary<PlanDescription> = fc.record({
  scope: fc.constantFrom('default' as const, 'all' as const, 'some' as const),
  budget: fc.oneof(
    fc.integer({ min: 1, max: 9 }).map((tenths) => ({ fraction: tenths / 10 })),
    fc.record({ count: fc.integer({ min: 1, max: 3 }) }),
  ),
  compensation: fc.nat(5),
  twice: fc.boolean(),
  seed: fc.nat(1000),
});

const weighted = () => leastSquares({ weighted: true });
const compensations = [none, foldMean, leastSquares, weighted, addOutgoing, scaleOutgoing];

/** Whether TensorFlow.js can take gradients in inference: not through a normalisation without scale, for one. */
function isDifferentiable(model: LayersModel, x: tf.Tensor[]): boolean {
  const kernels = model.weights.map((weight) => weight.read());
  const sum = () => tf.addN([model.apply(x)].flat().map((output) => tf.sum(output as tf.Tensor)));
  try {
    tf.tidy(() => void tf.engine().gradients(sum, kernels, undefined, true));
    return true;
  } catch {
    return false;
  }
}

function optionsOf(model: LayersModel, described: PlanDescription, x: tf.Tensor[]): PlanOptions | undefined {
  const there = analyze(model).groups.filter(({ prunable, exact, size }) => prunable && exact && size > 1);
  const inScope = there.filter(
    ({ kind }, i) =>
      described.scope === 'all' ||
      (described.scope === 'some' ? ((described.seed >> (i % 10)) & 1) === 1 : kind !== 'feature'),
  );
  if (inScope.length === 0) return undefined;
  const { budget, compensation, seed } = described;
  return {
    pruner: compensation < 4 ? anyScores(seed) : anyPairs(seed),
    budget,
    scope: inScope.map(({ id }) => id),
    compensation:
      compensation === 3 && !isDifferentiable(model, x) ? leastSquares() : compensations[compensation]!(),
    data: { x, batchSize: 2 },
  };
}

/** Whether survivors take over many times a unit, as they do from ones that hardly vary: what is left is rounding. */
const cancels = ({ folds, refits = [] }: Plan) =>
  folds.some(({ units }) => units.some(({ into }) => into.some(([, factor]) => Math.abs(factor) > 20))) ||
  refits.some(({ kernel }) => kernel.some((change) => Math.abs(change) > 20));

/** TensorFlow.js holds what it loads to the constraints, and so rounds weights that keep to them: they are as before. */
function unround(loaded: LayersModel, saved: LayersModel): void {
  const values = saved.weights.map((weight) => weight.read().dataSync<'float32'>().slice());
  const found = loaded.weights.map((weight) => weight.read().dataSync<'float32'>().slice());
  expect(difference(values, found), 'loaded weights').toBeLessThan(1e-6);
  loaded.weights.forEach((weight, i) => void writeWeight(weight, values[i]!));
}

const trainedNames = (model: LayersModel) => model.trainableWeights.map(({ originalName }) => originalName);

async function check(
  described: ModelDescription,
  planned: PlanDescription,
): Promise<'counts' | 'says nothing'> {
  const model = build(described);
  const x = examples(model, 3, described.seed);
  const garbage: LayersModel[] = [model];
  let made: Plan | undefined;
  try {
    const options = optionsOf(model, planned, x);
    if (!options) return 'says nothing';
    const before = outputsOf(model, x);
    made = await plan(model, options);
    if (cancels(made)) return 'says nothing';
    if (planned.twice) {
      await mask(model, JSON.parse(JSON.stringify(made)));
      made = await plan(model, { ...options, pruner: anyScores(planned.seed + 1), compensation: none() });
    }
    if (made.groups.every(({ remove }) => remove.length === 0)) return 'says nothing';

    const small = await shrink(model, made);
    garbage.push(small);
    await mask(model, JSON.parse(JSON.stringify(made)));
    const loaded = await reloaded(small);
    garbage.push(loaded);
    unround(loaded, small);
    const masked = outputsOf(model, x);
    expect(difference(masked, outputsOf(small, x)), 'shrunk').toBeLessThan(TOLERANCE);
    expect(difference(masked, outputsOf(loaded, x)), 'saved and loaded').toBeLessThan(TOLERANCE);
    expect(made.cost.after, 'predicted cost').toEqual(analyze(small).cost);
    expect(made.cost.after.params, 'predicted parameters').toBe(small.countParams());
    expect(namesOf(small), 'names').toEqual(namesOf(model));
    expect(trainedNames(small), 'trained').toEqual(trainedNames(model));
    expect(analyze(loaded).cost, 'loaded cost').toEqual(made.cost.after);

    if (difference(before, masked) < 100 * TOLERANCE) return 'says nothing';
    if (!perturb(model, made)) return 'says nothing';
    if (difference(masked, outputsOf(model, x)) < 100 * TOLERANCE) return 'says nothing';
    for (const { className } of analyze(model).layers) met.add(className);
    return 'counts';
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message}\n${describeCase(build(described), made)}`, { cause: error });
  } finally {
    for (const one of garbage) one.dispose();
    tf.dispose(x);
  }
}

it(`masks and shrinks to the same outputs (${CASES} random models)`, { timeout: CASES * 1000 }, async () => {
  const seed = process.env.ESPALIER_SEED;
  await fc.assert(
    fc.asyncProperty(modelDescription, planDescription, async (described, planned) => {
      fc.pre((await check(described, planned)) === 'counts');
    }),
    {
      numRuns: CASES,
      maxSkipsPerRun: 4,
      ...(seed ? { seed: Number(seed) } : { seed: 1 }),
      interruptAfterTimeLimit: CASES * 900,
      markInterruptAsFailure: true,
    },
  );
  if (CASES >= 500) expect(kinds.filter((kind) => !met.has(kind))).toEqual([]);
});
