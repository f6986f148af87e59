import { wholeOf } from './whole.ts';

/** One pruning of a schedule. */
export interface Step {
  /** It comes after this epoch, counted from 1. */
  readonly epoch: number;
  /** How much of the way to the budget is behind it, 0 to 1. */
  readonly share: number;
}

/**
 * When to prune, and how much each time. Made by `oneShot`, `everyEpochs`, `polynomial` and `whileAccuracy`, or written
 * by hand: `{ name: 'mine', steps: () => [{ epoch: 3, share: 1 }] }`.
 *
 * With s_i of a group's units gone when the phase begins and a budget of s_f, s_i + (s_f - s_i) share are gone after
 * each step. A share means nothing to a `threshold`, nor to a pair pruner's own bounds: at each step goes all that
 * is below or within them by then.
 */
export interface Schedule {
  /** Stands in messages. */
  readonly name: string;
  /**
   * The share of the epochs, 0 to 1, after which its phase begins: evidence is gathered from there on, and no step comes
   * before. Default 0.
   */
  readonly from?: number;
  /** The prunings of a training of so many epochs: epochs ascend, shares don't descend. */
  steps(epochs: number): readonly Step[];
  /**
   * Whether the last of these steps is taken, by the validation accuracy (0 to 1) after the epoch of each step so far.
   * Without it all are, and no validation data is needed.
   */
  allows?(accuracies: readonly number[]): boolean;
}

/** @throws if it is no schedule: there are no types in JavaScript. */
export function checkSchedule(schedule: Schedule): void {
  if (typeof (schedule as Partial<Schedule> | null)?.steps === 'function') return;
  throw new Error(
    `[core] schedule must have steps, as that of everyEpochs({ every: 5, until: 0.7 }) has, got ${JSON.stringify(schedule)}`,
  );
}

/** When the one pruning is. */
export interface OneShotArgs {
  /** The share of the epochs, 0 to 1, after which it prunes. 1 leaves no epoch to recover in. */
  readonly after: number;
}

/** How often, in which part of the training. */
export interface EveryEpochsArgs {
  /** Whole epochs between two prunings. Default 1. */
  readonly every?: number;
  /** The share of the epochs, 0 to 1, after which the phase begins. Default 0. */
  readonly from?: number;
  /** The share of the epochs, 0 to 1, with which it ends. Default 1. */
  readonly until?: number;
}

/** How often, in which part of the training, and how much of it early. */
export interface PolynomialArgs extends EveryEpochsArgs {
  /** p: the larger, the more goes early. Default 3. */
  readonly power?: number;
}

/** Which schedule, while which accuracy holds. */
export interface WhileAccuracyArgs {
  /** The validation accuracy, 0 to 1, that must be there when it prunes. */
  readonly floor: number;
  readonly schedule: Schedule;
}

/**
 * The whole budget at once, after epoch floor(`after` E) of E.
 *
 * @throws if `after` is not a share.
 */
export const oneShot = ({ after }: OneShotArgs): Schedule => {
  if (!(after > 0 && after <= 1)) throw new Error(`[core] after must be above 0 and at most 1, got ${after}`);
  return {
    name: `once after ${after} of the epochs`,
    steps: (epochs) => {
      const epoch = wholeOf(after * epochs);
      return epoch === 0 ? [] : [{ epoch, share: 1 }];
    },
  };
};

/**
 * The budget by equal steps. With E epochs, t_0 = floor(`from` E) and n = floor((`until` E - t_0) / `every`), step
 * k = 1 .. n comes after epoch t_0 + k `every` and has the share k / n.
 *
 * @throws if a number makes no sense.
 */
export const everyEpochs = (args: EveryEpochsArgs = {}): Schedule => stepwise(args, '', (done) => done);

/**
 * The steps of `everyEpochs` with the share 1 - (1 - k / n)^p: large ones while there are units to spare, small ones
 * towards the end (Zhu & Gupta, "To prune, or not to prune", 2017, equation 1, with t - t_0 = k `every`).
 *
 * @throws if a number makes no sense.
 */
export const polynomial = ({ power = 3, ...args }: PolynomialArgs = {}): Schedule => {
  if (!(power > 0 && power < Number.POSITIVE_INFINITY))
    throw new Error(`[core] power must be above 0, got ${power}`);
  return stepwise(args, ` by a polynomial of power ${power}`, (done) => 1 - (1 - done) ** power);
};

/**
 * A schedule that ends where validation accuracy falls below a floor. It is looked at after the epoch of each step,
 * when the network had its epochs to recover in: steps wait until the accuracy has reached the floor for the first
 * time, and at the first one after that to find it below, pruning is over. What was pruned stays so; the epochs that
 * are left may still bring the accuracy back.
 *
 * @throws if `floor` is not a share, or there is no schedule.
 */
export const whileAccuracy = ({ floor, schedule }: WhileAccuracyArgs): Schedule => {
  if (!(floor >= 0 && floor <= 1))
    throw new Error(`[core] floor must be an accuracy from 0 to 1, got ${floor}`);
  checkSchedule(schedule);
  return {
    ...schedule,
    name: `${schedule.name} while accuracy is at least ${floor}`,
    steps: (epochs) => schedule.steps(epochs),
    allows: (accuracies) => {
      const reached = accuracies.findIndex((accuracy) => accuracy >= floor);
      const holds = reached >= 0 && accuracies.slice(reached).every((accuracy) => accuracy >= floor);
      return holds && (schedule.allows?.(accuracies) ?? true);
    },
  };
};

function stepwise(
  { every = 1, from = 0, until = 1 }: EveryEpochsArgs,
  how: string,
  shareOf: (done: number) => number,
): Schedule {
  if (!Number.isInteger(every) || every < 1) {
    throw new Error(`[core] every must be a whole number of epochs of at least 1, got ${every}`);
  }
  if (!(until > 0 && until <= 1)) throw new Error(`[core] until must be above 0 and at most 1, got ${until}`);
  if (!(from >= 0 && from < until)) {
    throw new Error(`[core] from must be at least 0 and below until (${until}), got ${from}`);
  }
  return {
    name: `every ${every} epochs from ${from} to ${until} of them${how}`,
    from,
    steps: (epochs) => {
      const start = wholeOf(from * epochs);
      const count = Math.max(0, wholeOf((until * epochs - start) / every));
      return Array.from({ length: count }, (_, k) => ({
        epoch: start + (k + 1) * every,
        share: shareOf((k + 1) / count),
      }));
    },
  };
}
