import * as tf from '@tensorflow/tfjs-core';
import type { TracedWeight } from '../graph/trace.ts';
import type { Seen, Update } from '../pruner.ts';
import type { GroupWatch, PlacedWeight } from './group-watch.ts';
import { type BatchCaptures, patternsOf } from './pool.ts';
import { incomingRows, outgoingRows, rowsOf, WatchedWeights } from './rows.ts';
import type { Step, Steps } from './steps.ts';
import type { Capture } from './taps.ts';

/**
 * What a group's pruners see of some batches, as if they were one. Everything is made when it is read, in the
 * reader's tidy.
 */
export class WatchedBatches extends WatchedWeights implements Seen {
  readonly #batches: readonly BatchCaptures[];
  readonly #steps: readonly Steps[];
  readonly #losses: tf.Tensor2D | undefined;

  /**
   * @param batches all with as many patterns
   * @param steps the optimizer's, one for each batch
   * @param losses of a single batch, without each unit
   */
  constructor(
    watched: GroupWatch,
    batches: readonly BatchCaptures[],
    steps: readonly Steps[],
    losses?: tf.Tensor2D,
  ) {
    super(watched);
    this.#batches = batches;
    this.#steps = steps;
    this.#losses = losses;
  }

  get activations(): tf.Tensor2D {
    checkSeen(this.watched, this.#batches);
    return rowsOf(this.watched.sites, this.#batches, ({ value }) => value!);
  }

  get errors(): tf.Tensor2D {
    return errorsOf(this.watched, this.#batches);
  }

  get patterns(): number {
    return this.#batches.reduce((sum, batch) => sum + patternsOf(batch), 0);
  }

  get losses(): tf.Tensor2D {
    if (this.#losses) return this.#losses;
    throw new Error(
      'the loss without each unit is measured where data is run for a plan, not in training: ' +
        'give the pruner to plan(model, { pruner, data })',
    );
  }

  get updates(): Seen['updates'] {
    const { watched } = this;
    return {
      incoming: updateOf(watched, watched.makes, incomingRows, this.#steps),
      outgoing: updateOf(watched, watched.reads, outgoingRows, this.#steps),
    };
  }
}

/** @throws if the layers were not called: sums of nothing would rank units by their numbers. */
function checkSeen({ group }: GroupWatch, batches: readonly BatchCaptures[]): void {
  if (someCapture(batches, () => true)) return;
  throw new Error(
    `nothing was seen of '${group.id}': a layer that calls others must hand them its kwargs (training: true), or ` +
      'leave it out of the scope',
  );
}

/** Stops at the first: a small network's batches take microseconds. */
const someCapture = (batches: readonly BatchCaptures[], is: (capture: Capture) => boolean): boolean =>
  batches.some((batch) => batch.some((captures) => captures.some(is)));

function errorsOf(watched: GroupWatch, batches: readonly BatchCaptures[]): tf.Tensor2D {
  checkSeen(watched, batches);
  const { group, sites } = watched;
  if (!someCapture(batches, ({ error }) => error !== undefined)) {
    throw new Error(
      `no error came back to '${group.id}': if its layer and all before it are frozen ` +
        '(trainable: false), leave it out of the scope',
    );
  }
  const rows = rowsOf(sites, batches, ({ shape, error }) => error ?? tf.zeros([...shape]));
  // a loss is the mean over its batch
  return tf.mul(rows, patternsOf(batches[0]!));
}

function updateOf(
  group: GroupWatch,
  placed: readonly PlacedWeight[],
  rows: typeof incomingRows,
  steps: readonly Steps[],
): Update {
  const stacked = (of: (weight: TracedWeight, step: Step | undefined) => tf.Tensor): tf.Tensor3D => {
    const parts = steps.map((step) =>
      rows(group, placed, (weight) => of(weight, step.get(weight.variable.name))),
    );
    const below = parts.length === 1 ? parts[0]! : tf.concat2d(parts, 0);
    return tf.reshape(below, [parts.length, ...parts[0]!.shape]);
  };
  return {
    get gradient() {
      return stacked(({ shape }, step) => step?.gradient ?? tf.zeros([...shape]));
    },
    get before() {
      return stacked(({ variable }, step) => step?.before ?? variable.read());
    },
    get after() {
      return stacked(({ variable }, step) => step?.after ?? variable.read());
    },
  };
}
