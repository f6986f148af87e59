import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { expect } from 'vitest';
import { analyze } from '../graph/analyze.ts';
import { plan } from '../plan/plan.ts';
import type { Plan } from '../plan/types.ts';
import { mask } from '../surgery/mask.ts';
import { shrink } from '../surgery/shrink.ts';
import { examples, liven } from './build.ts';
import { difference, outputsOf, reloaded } from './compare.ts';
import { anyScores } from './pruners.ts';

/** What `expectAgreement` is told beside the model. */
export interface AgreementOptions {
  /** The groups that must be prunable; default: no demand. */
  readonly groups?: readonly string[];
  readonly x?: tf.Tensor[];
  /** How the outputs are made; default: by `predict`. */
  readonly outputs?: (model: LayersModel, x: tf.Tensor[]) => Float32Array[];
}

/**
 * Prunes two fifths of each group: masked, shrunk, and saved and loaded models must put out the same, and something
 * else than before. The shrunk model is the answer.
 */
export async function expectAgreement(
  model: LayersModel,
  { groups, x = examples(model, 3, 7), outputs = outputsOf }: AgreementOptions = {},
): Promise<{ small: LayersModel; made: Plan }> {
  liven(model, 3);
  const there = analyze(model).groups.filter(({ prunable, exact, size }) => prunable && exact && size > 1);
  if (groups) expect(there.map(({ id }) => id)).toEqual(groups);
  const before = outputs(model, x);
  const scope = there.map(({ id }) => id);
  const made = await plan(model, { pruner: anyScores(5), budget: { fraction: 0.4 }, scope });
  const small = await shrink(model, made);
  await mask(model, made);
  const masked = outputs(model, x);
  expect(difference(before, masked), 'masked').toBeGreaterThan(1e-3);
  expect(difference(masked, outputs(small, x)), 'shrunk').toBeLessThan(1e-5);
  expect(difference(masked, outputs(await reloaded(small), x)), 'saved and loaded').toBeLessThan(1e-5);
  expect(made.cost.after, 'predicted cost').toEqual(analyze(small).cost);
  return { small, made };
}
