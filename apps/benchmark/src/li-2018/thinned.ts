import { type CalibrationData, leastSquares, type Pruner, plan, shrink } from '@espalier/core';
import { apoz } from '@espalier/pruner-apoz';
import { clustering } from '@espalier/pruner-clustering';
import { magnitude } from '@espalier/pruner-magnitude';
import { random } from '@espalier/pruner-random';
import { taylor } from '@espalier/pruner-taylor';
import { disposeModel } from '@espalier/trainer';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { firstOf } from '../data.ts';
import type { Digits } from '../digits.ts';
import type { Job } from './jobs.ts';
import { accuracyOf, type Figures, figuresOf, fit, shortened, wholeNet } from './network.ts';
import { CALIBRATION, type Level, levels, type Method, POINTS, TUNING } from './settings.ts';

const pruners: Readonly<Record<Method, (seed: number) => Pruner>> = {
  kmeans: (seed) => clustering({ seed }),
  random: (seed) => random({ seed }),
  magnitude: () => magnitude(),
  taylor: () => taylor(),
  apoz: () => apoz(),
};

const CONVOLUTIONS = ['conv1', 'conv2'];

/** What a choice is made by, beside the network. */
interface Given {
  readonly seed: number;
  readonly data: CalibrationData;
}

/** Which filters go, and who says so. */
export interface Thinning {
  readonly level: Level;
  readonly method: Method;
}

/**
 * Takes filters from the whole network, and tunes what is left. By the last part of a case: `after-0` at once, `refit`
 * with what reads the filters fitted anew, `after-1`, ... while it is tuned, and '' in the end.
 */
export async function thinned(
  job: Job,
  digits: Digits,
  thinning: Thinning,
): Promise<Record<string, Figures>> {
  const whole = await wholeNet(job, digits);
  const data = firstOf(digits.train, CALIBRATION);
  const given = { seed: job.seed, data };
  const fitted = await refitted(whole, thinning, given);
  const plain = await without(whole, thinning, given);
  tf.dispose([data.x, data.y]);
  const found: Record<string, Figures> = {
    refit: { accuracy: await accuracyOf(fitted, digits) },
    'after-0': { accuracy: await accuracyOf(plain, digits) },
  };
  for (const model of [whole, fitted]) disposeModel(model);
  const tuned = await fit(plain, digits, shortened(TUNING, job.quick), {
    seed: job.seed,
    onEpochEnd: async ({ epoch, model }) => {
      if (POINTS.includes(epoch)) found[`after-${epoch}`] = { accuracy: await accuracyOf(model, digits) };
    },
  });
  found[''] = await figuresOf(tuned, digits);
  disposeModel(tuned);
  return found;
}

/** The filters of both layers are chosen and go at once. */
async function without(whole: LayersModel, { level, method }: Thinning, given: Given): Promise<LayersModel> {
  const { seed, data } = given;
  const budget = { fraction: levels[level].fraction };
  return shrink(
    whole,
    await plan(whole, { pruner: pruners[method](seed), scope: CONVOLUTIONS, budget, data }),
  );
}

/** Layer by layer: what reads the filters is fitted to what the layers before it have become. */
async function refitted(whole: LayersModel, { level, method }: Thinning, given: Given): Promise<LayersModel> {
  const { seed, data } = given;
  const budget = { fraction: levels[level].fraction };
  const compensation = leastSquares();
  let model = whole;
  for (const layer of CONVOLUTIONS) {
    const before = model;
    const pruner = pruners[method](seed);
    model = await shrink(before, await plan(before, { pruner, scope: [layer], budget, compensation, data }));
    if (before !== whole) disposeModel(before);
  }
  return model;
}
