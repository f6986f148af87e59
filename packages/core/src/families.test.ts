import { useEngine } from '@espalier/engine';
import {
  bidirectionalLstm,
  denseNet,
  efficientNetB0,
  inceptionV3,
  mobileNet,
  mobileNetV2,
  nasNetMobile,
  resNet50,
  resNet50V2,
  stackedLstm,
  textCnn,
  uNet,
  vgg16,
} from '@espalier/models/families';
import * as tf from '@tensorflow/tfjs-core';
import { type LayersModel, model as modelOf } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { analyze, analyzeInternals } from './graph/analyze.ts';
import { plan } from './plan/plan.ts';
import { Removal } from './plan/removal.ts';
import type { Plan } from './plan/types.ts';
import { mask } from './surgery/mask.ts';
import { shrink } from './surgery/shrink.ts';
import { examples, liven } from './test-models/build.ts';
import { difference, outputsOf, reloaded } from './test-models/compare.ts';
import { task } from './test-models/fixed.ts';
import { perturbSurvivor } from './test-models/perturb.ts';
import { anyScores } from './test-models/pruners.ts';

/** Relative to the largest value. */
const TOLERANCE = 1e-5;
const OUTPUT = 'predictions';

const zeros = { weights: 'zeros' } as const;
const thin = (side: number, width = 1 / 8) => ({ ...zeros, inputShape: [side, side, 3], width, classes: 5 });
const phrase = { ...zeros, length: 7, vocabulary: 5, width: 1 / 8, classes: 3 };

/** Each with the widths and depths of its paper, and small enough to compute with. */
const families: Readonly<Record<string, readonly [full: () => LayersModel, small: () => LayersModel]>> = {
  // a larger image only makes fc1 larger
  VGG16: [() => vgg16({ ...zeros, inputShape: [32, 32, 3] }), () => vgg16(thin(32))],
  ResNet50: [() => resNet50(zeros), () => resNet50(thin(32))],
  ResNet50V2: [() => resNet50V2(zeros), () => resNet50V2(thin(32))],
  InceptionV3: [() => inceptionV3(zeros), () => inceptionV3(thin(75))],
  MobileNet: [() => mobileNet(zeros), () => mobileNet(thin(32))],
  MobileNetV2: [() => mobileNetV2(zeros), () => mobileNetV2(thin(32, 1 / 4))],
  DenseNet121: [() => denseNet(zeros), () => denseNet(thin(32))],
  EfficientNetB0: [() => efficientNetB0(zeros), () => efficientNetB0(thin(32, 1 / 4))],
  NASNetMobile: [() => nasNetMobile(zeros), () => nasNetMobile(thin(32, 2 / 11))],
  'U-Net': [() => uNet(zeros), () => uNet(thin(32))],
  'text CNN': [() => textCnn(zeros), () => textCnn(phrase)],
  'stacked LSTM': [() => stackedLstm(zeros), () => stackedLstm(phrase)],
  'bidirectional LSTM': [() => bidirectionalLstm(zeros), () => bidirectionalLstm(phrase)],
};

beforeAll(async () => {
  if (!process.env.ESPALIER_TEST_ENGINE) await useEngine('wasm');
});

/** What no prunable and exact group holds of the axes of kernels that make units: `layer/weight: entries`. */
function heldBack(model: LayersModel): string[] {
  const { groups, trace } = analyzeInternals(model);
  const free = new Set<string>();
  for (const { prunable, exact, members } of groups) {
    if (!prunable || !exact) continue;
    for (const { layer, weight, axis, entries } of members) {
      for (const entry of entries) free.add(`${layer}/${weight}@${axis}:${entry}`);
    }
  }
  return trace.layers
    .filter(({ path }) => path !== OUTPUT)
    .flatMap(({ path, weights }) =>
      weights
        .filter(({ shape }) => shape.length > 1)
        .flatMap(({ name, shape, axes }) => {
          const made = axes.findIndex((axis) => axis !== null && axis.role !== 'reads');
          const kept = Array.from({ length: shape[made] ?? 0 }, (_, i) => i).filter(
            (entry) => !free.has(`${path}/${name}@${made}:${entry}`),
          );
          return made >= 0 && kept.length === 0 ? [] : [`${path}/${name}: ${kept.length} entries`];
        }),
    );
}

/** What the last layer reads, of these channels. */
function featuresOf(model: LayersModel, x: tf.Tensor[], channels: readonly number[]): Float32Array[] {
  const features = modelOf({ inputs: model.inputs, outputs: model.getLayer(OUTPUT).input });
  return tf.tidy(() => {
    const all = features.predict(x) as tf.Tensor;
    return [
      tf
        .gather(all, [...channels], all.rank - 1)
        .dataSync<'float32'>()
        .slice(),
    ];
  });
}

/** Which of the features are left. */
function keptFeatures(removal: Removal): number[] {
  const output = removal.analysis.trace.layers.find(({ path }) => path === OUTPUT)!;
  const { axes } = output.weights.find(({ name }) => name === 'kernel')!;
  return removal.kept(axes.find((axis) => axis?.role === 'reads')!.labels);
}

/**
 * Weights and statistics as after some training: drawn at random, the statistics those of the data, so that signals
 * neither die out nor explode on their way.
 */
function animate(model: LayersModel, x: tf.Tensor[]): void {
  liven(model, 3);
  const norms = model.layers.filter(
    (layer): layer is typeof layer & { momentum: number } => 'momentum' in layer,
  );
  const momenta = norms.map(({ momentum }) => momentum);
  for (const norm of norms) norm.momentum = 0;
  tf.tidy(() => void model.apply(x, { training: true }));
  norms.forEach((norm, i) => {
    norm.momentum = momenta[i]!;
  });
}

const planFor = (model: LayersModel): Promise<Plan> =>
  plan(model, { pruner: anyScores(5), budget: { fraction: 0.4 } });

describe.each(Object.entries(families))('%s', (_, [full, small]) => {
  it('can lose units of every layer but the last', () => {
    const model = full();
    expect(heldBack(model)).toEqual([]);
    model.dispose();
  });

  it('computes the same masked, shrunk, and saved and loaded, in logits and features', async () => {
    const model = small();
    const x = examples(model, 4, 7);
    animate(model, x);
    const made = await planFor(model);
    const shrunk = await shrink(model, made);
    const loaded = await reloaded(shrunk);
    await mask(model, made);
    const removal = new Removal(analyzeInternals(model), made.groups);
    const channels = keptFeatures(removal);
    const masked = { logits: outputsOf(model, x), features: featuresOf(model, x, channels) };
    const all = [...channels.keys()];
    for (const other of [shrunk, loaded]) {
      expect(difference(masked.logits, outputsOf(other, x)), 'logits').toBeLessThan(TOLERANCE);
      expect(difference(masked.features, featuresOf(other, x, all)), 'features').toBeLessThan(TOLERANCE);
    }
    expect(analyze(loaded).cost).toEqual(made.cost.after);
    // one unit that stays moves both far more than they may differ
    perturbSurvivor(model, made.groups[0]!);
    const moved = { logits: outputsOf(model, x), features: featuresOf(model, x, channels) };
    expect(difference(masked.logits, moved.logits)).toBeGreaterThan(100 * TOLERANCE);
    expect(difference(masked.features, moved.features)).toBeGreaterThan(100 * TOLERANCE);
    for (const one of [model, shrunk, loaded]) one.dispose();
    tf.dispose(x);
  });

  it('has a lower loss after one step of fine-tuning', async () => {
    const model = small();
    const [x, y] = [examples(model, 8, 7), task(model, 8).y];
    animate(model, x);
    const shrunk = await shrink(model, await planFor(model));
    model.dispose();
    // so short that the loss goes as its gradient says
    shrunk.compile({ optimizer: tf.train.adam(1e-5), loss: 'meanSquaredError' });
    const before = await shrunk.trainOnBatch(x, y);
    expect(await shrunk.trainOnBatch(x, y)).toBeLessThan(before as number);
    shrunk.dispose();
    tf.dispose([x, y]);
  });
});
