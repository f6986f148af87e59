import { addNoise, checkNoise, type InputRange, type Levels, type Noise, noisesOf } from '@espalier/noise';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type Examples, evaluate } from './evaluate.ts';
import type { NoiseEvent } from './record.ts';

/** Accuracy and loss against the level of one kind of noise; the first point is without any. */
export type NoiseCurve = Pick<NoiseEvent, 'noise' | 'points'>;

/** What {@link noiseCurves} takes. */
export interface NoiseCurvesArgs {
  /** Which levels, by kind: `{ gaussian: [0.1, 0.2] }`. */
  readonly levels: Levels;
  /** Of the clean data that the models were trained on. */
  readonly range: InputRange;
  /** Default 1. */
  readonly seed?: number;
}

/**
 * How well some classifiers of the same inputs do as the noise grows. All of them see the same noise.
 *
 * @returns for each model a curve for each kind, in the order in which the kinds are given.
 * @throws if a model is not compiled, there are no examples, or a noise can't happen to them.
 */
export async function noiseCurves(
  models: readonly LayersModel[],
  examples: Examples,
  { levels, range, seed = 1 }: NoiseCurvesArgs,
): Promise<NoiseCurve[][]> {
  const { shape } = examples.x;
  const inputShape = shape.slice(1);
  const noises = noisesOf(levels);
  for (const noise of noises) checkNoise(noise, inputShape);
  const values = await examples.x.data<'float32'>();
  const measured = new Map<Noise | undefined, NoiseCurve['points']>();
  measured.set(undefined, await pointsOf(models, examples, 0));
  for (const noise of noises) {
    if (noise.level === 0) continue;
    const x = tf.tensor(
      addNoise(values, { inputShape, range, noises: [noise], seed }),
      shape,
      examples.x.dtype,
    );
    try {
      measured.set(noise, await pointsOf(models, { ...examples, x }, noise.level));
    } finally {
      x.dispose();
    }
  }
  const kinds = [...new Set(noises.map(({ kind }) => kind))];
  return models.map((_, i) =>
    kinds.map((kind) => ({
      noise: kind,
      points: [...measured]
        .flatMap(([noise, points]) => (noise === undefined || noise.kind === kind ? [points[i]!] : []))
        .sort((a, b) => a.level - b.level),
    })),
  );
}

/** One point for each model. */
async function pointsOf(
  models: readonly LayersModel[],
  examples: Examples,
  level: number,
): Promise<NoiseCurve['points']> {
  const points: NoiseCurve['points'][number][] = [];
  for (const model of models) {
    const { accuracy, loss } = await evaluate(model, examples);
    points.push({ level, accuracy, loss });
  }
  return points;
}
