import { analyze, leastSquares, polynomial } from '@espalier/core';
import { reconstruction } from '@espalier/pruner-reconstruction';
import { disposeModel } from '@espalier/trainer';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Digits } from '../digits.ts';
import type { Job } from './jobs.ts';
import { type Figures, figuresOf, fit, kept, shortened, wholeNet } from './network.ts';
import { FRONTIER, nameOf, STEPPING, type Step, WHOLE } from './settings.ts';

/** Goes from the whole network to ever smaller ones, by name; each is kept, so that a run that was cut short goes on. */
export async function frontier(job: Job, digits: Digits): Promise<Record<string, Figures>> {
  const found: Record<string, Figures> = {};
  for (const [i, { sizes }] of FRONTIER.entries()) {
    const model = await netOf(i, job, digits);
    found[nameOf(sizes)] = await figuresOf(model, digits);
    disposeModel(model);
  }
  return found;
}

/** The network after a step, made of the one after the step before; -1 is the whole one. */
function netOf(i: number, job: Job, digits: Digits): Promise<LayersModel> {
  const step = FRONTIER[i];
  if (!step) return wholeNet(job, digits);
  const settings = [WHOLE, STEPPING, FRONTIER.slice(0, i + 1)];
  return kept(job, digits, { name: nameOf(step.sizes), settings }, async () =>
    smaller(await netOf(i - 1, job, digits), job, digits, step),
  );
}

/** Units go in small steps, what reads them is fitted anew each time, and what is left learns from the whole network. */
async function smaller(
  model: LayersModel,
  job: Job,
  digits: Digits,
  { sizes, epochs }: Step,
): Promise<LayersModel> {
  const { noise, until, weight, temperature } = STEPPING;
  const { groups } = analyze(model);
  const count = Object.entries(sizes).map(([id, stay]): [string, number] => [
    id,
    groups.find((group) => group.id === id)!.size - stay,
  ]);
  const teacher = await wholeNet(job, digits);
  try {
    return await fit(model, digits, shortened({ ...STEPPING, epochs }, job.quick), {
      seed: job.seed,
      noise,
      distillation: { teacher, weight, temperature },
      pruning: {
        pruner: reconstruction(),
        scope: Object.keys(sizes),
        budget: { count: Object.fromEntries(count) },
        schedule: polynomial({ until: job.quick ? 1 : until }),
        compensation: leastSquares(),
      },
    });
  } finally {
    disposeModel(teacher);
  }
}
