import { type Plan, type Planner, type PlanOptions, planner } from '@espalier/core';
import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { carryOut } from './carry-out.ts';
import { disposeModel } from './dispose.ts';
import { type Examples, evaluate, latencyRatio } from './evaluate.ts';
import { sizesOf } from './sizes.ts';

/** What `planToFloor` needs: all that `plan` does, but for a budget. */
export interface FloorOptions extends Omit<PlanOptions, 'budget'> {
  /** The accuracy, 0 to 1, that must be there without further training. */
  readonly floor: number;
  /** What it is measured on; none that anything is reported on. */
  readonly validation: Examples;
}

/** What `planToLatency` needs: all that `plan` does, but for a budget. */
export interface LatencyOptions extends Omit<PlanOptions, 'budget'> {
  /** The time of a forward pass that may be left, as a share of the unpruned model's: above 0 and below 1. */
  readonly latency: number;
  /** The batch that is timed. Inputs have the shape [examples, ...]. */
  readonly x: tf.Tensor;
  /** How often each model runs for one measurement; both take turns. Default 31. */
  readonly repeats?: number;
}

/**
 * The plan that removes the most of which accuracy on validation data stays at a floor, without further training. Each
 * step of a bisection over the share of the units that goes makes the smaller model and measures it: with the plan it
 * holds, with one step more it does not. Where accuracy goes up and down there may be others; the notes say what was found.
 *
 * @throws as `plan` does, if the floor is no accuracy, or the model itself falls below it.
 */
export async function planToFloor(model: LayersModel, options: FloorOptions): Promise<Plan> {
  const { floor, validation, ...pruning } = options;
  if (!(floor >= 0 && floor <= 1))
    throw new Error(`[trainer] floor must be an accuracy from 0 to 1, got ${floor}`);
  const accuracyOf = async (one: LayersModel) => (await evaluate(one, validation)).accuracy;
  const unpruned = await accuracyOf(model);
  if (unpruned < floor) {
    throw new Error(
      `[trainer] the unpruned model has an accuracy of ${percent(unpruned)} on the validation data, below the floor of ` +
        `${percent(floor)}: lower the floor, or train the model further`,
    );
  }
  return withTrials(model, pruning, accuracyOf, async (trials) => {
    const last = await lastThat(trials.most, async (step) => step === 0 || (await trials.at(step)) >= floor);
    const [held, beyond] = [last === 0 ? unpruned : await trials.at(last), last + 1];
    const next =
      beyond > trials.most ? 'no more can go' : `one step more has ${percent(await trials.at(beyond))}`;
    return trials.plan(
      last,
      `accuracy: ${percent(held)} of at least ${percent(floor)} on validation data; ${next}`,
    );
  });
}

/**
 * The plan that removes the least with which a forward pass takes a share of the unpruned model's time, on the engine
 * that is at work. Each step of a bisection over the share of the units that goes makes the smaller model and times it in
 * turn with the unpruned one: the ratio of their quickest passes counts.
 *
 * @throws as `plan` does, or if the share makes no sense.
 */
export async function planToLatency(model: LayersModel, options: LatencyOptions): Promise<Plan> {
  const { latency, x, repeats = 31, ...pruning } = options;
  if (!(latency > 0 && latency < 1))
    throw new Error(
      `[trainer] latency must be a share of the unpruned model's, above 0 and below 1, got ${latency}`,
    );
  const ratioOf = (one: LayersModel) => latencyRatio(one, model, x, repeats);
  return withTrials(model, pruning, ratioOf, async (trials) => {
    const slow = await lastThat(trials.most, async (step) => step === 0 || (await trials.at(step)) > latency);
    const step = Math.min(slow + 1, trials.most);
    const ratio = percent(await trials.at(step));
    const short = slow === trials.most ? ': no more can go' : '';
    return trials.plan(
      step,
      `latency: ${ratio} of at most ${percent(latency)} of the unpruned model's${short}`,
    );
  });
}

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

/** Plans of ever more units, each tried once. */
interface Trials {
  /** The number of steps; after the last one all has gone that may. */
  readonly most: number;
  /** What was measured of the model after a step. */
  at(step: number): Promise<number>;
  /** The plan of a step, with a note of how it was found. */
  plan(step: number, note: string): Promise<Plan>;
}

async function withTrials(
  model: LayersModel,
  pruning: Omit<PlanOptions, 'budget'>,
  measure: (smaller: LayersModel) => Promise<number>,
  work: (trials: Trials) => Promise<Plan>,
): Promise<Plan> {
  const units = Object.values(sizesOf(model, pruning)).reduce((sum, size) => sum + size, 0);
  const known = new Map<number, number>();
  const plans: Planner = await planner(model, pruning);
  const planAt = (step: number) => plans.plan({ fraction: step / units });
  try {
    return await work({
      most: units - 1,
      async at(step) {
        if (!known.has(step)) known.set(step, await measured(model, await planAt(step), pruning, measure));
        return known.get(step)!;
      },
      async plan(step, note) {
        const made = await planAt(step);
        const trials = `${known.size} ${known.size === 1 ? 'trial' : 'trials'}`;
        return { ...made, notes: [...made.notes, `${note}; found by ${trials}`] };
      },
    });
  } finally {
    plans.dispose();
  }
}

async function measured(
  model: LayersModel,
  plan: Plan,
  { data }: Pick<PlanOptions, 'data'>,
  measure: (smaller: LayersModel) => Promise<number>,
): Promise<number> {
  const { model: smaller } = await carryOut(model, plan, data);
  try {
    return await measure(smaller);
  } finally {
    disposeModel(smaller);
  }
}

/** The last of 0 to `most` for which something holds that holds for 0, if it ends once and for all. */
async function lastThat(most: number, holds: (step: number) => Promise<boolean>): Promise<number> {
  if (await holds(most)) return most;
  let [last, failed] = [0, most];
  while (failed - last > 1) {
    const middle = Math.floor((last + failed) / 2);
    if (await holds(middle)) last = middle;
    else failed = middle;
  }
  return last;
}
