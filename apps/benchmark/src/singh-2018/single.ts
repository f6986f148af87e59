import { type AttemptEvent, cosineRate, disposeModel, restart } from '@espalier/trainer';
import type { Data } from '../data.ts';
import { fit, networkFor, type Outcome, outcomeOf } from './network.ts';
import { RESTART, type Recipe, type SingleRow, singleRows } from './paper.ts';

/** One epoch of the quick form for so many of the whole. */
const QUICK = 40;

const shortened = (recipe: Recipe, quick: boolean): Recipe =>
  quick ? { ...recipe, epochs: Math.ceil(recipe.epochs / QUICK) } : recipe;

/** One row of the paper's table. */
export async function single(
  letters: Data,
  { row, seed, quick }: { readonly row: SingleRow; readonly seed: number; readonly quick: boolean },
): Promise<Outcome> {
  const { units, activation } = row;
  const recipe = shortened(row.recipe, quick);
  const model = networkFor(letters, { hidden: [units], activation, seed }, recipe);
  const trained = await fit(model, letters, { ...recipe, seed });
  return outcomeOf(trained.model, letters, trained.events);
}

export interface FewestArgs {
  readonly quick: boolean;
  /** The attempts of a search that was cut short. */
  readonly done: readonly AttemptEvent[];
  readonly onAttempt: (event: AttemptEvent) => Promise<void>;
}

/** Version 2 of the paper: how few units do, each size trained from new weights. */
export async function fewest(letters: Data, { quick, done, onAttempt }: FewestArgs): Promise<Outcome> {
  const { units, step, tolerance } = RESTART;
  const row = singleRows.find(
    ({ recipe, activation }) => activation === 'relu' && recipe.optimizer === 'rmsprop',
  )!;
  const { epochs, batchSize, ...recipe } = shortened(row.recipe, quick);
  const template = networkFor(letters, { hidden: [units], seed: 1 }, recipe);
  const found = await restart(template, letters, {
    training: { epochs, batchSize, learningRate: cosineRate(recipe.rate), seed: 1 },
    ...{ step, tolerance, done, onAttempt, seeds: quick ? 1 : RESTART.seeds },
  });
  disposeModel(template);
  const { figures, record } = await outcomeOf(found.model, letters, [...found.attempts, ...found.epochs]);
  const left = Object.values(found.units).reduce((total, count) => total + count, 0);
  return { figures: { ...figures, units: left }, record };
}
