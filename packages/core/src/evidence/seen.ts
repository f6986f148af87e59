import * as tf from '@tensorflow/tfjs-core';
import type { TracedWeight } from '../graph/trace.ts';
import type { Seen, Update } from '../pruner.ts';
import type { GroupWatch, PlacedWeight } from './group-watch.ts';
import { type BatchCaptures, patternsOf } from './pool.ts';
import { incomingRows, outgoingRows, rowsOf, weightsOf } from './rows.ts';

/** The optimizer's step as it is seen before and while it happens. */
export interface Step {
  readonly before: tf.Tensor;
  readonly gradient: tf.Tensor | undefined;
}

/**
 * What a group's pruners see of some batches, as if they were one. Everything is made when it is read, in the
 * reader's tidy.
 *
 * @param batches all with as many patterns
 * @param steps the optimizer's last, by the weights' names
 */
export function seenOf(
  group: GroupWatch,
  batches: readonly BatchCaptures[],
  steps: ReadonlyMap<string, Step>,
): Seen {
  return Object.defineProperties(weightsOf(group) as Seen, {
    activations: { get: () => rowsOf(group.sites, batches, ({ value }) => value) },
    errors: { get: () => errorsOf(group, batches) },
    patterns: { get: () => batches.reduce((sum, batch) => sum + patternsOf(batch), 0) },
    updates: {
      get: () => ({
        incoming: updateOf(group, group.makes, incomingRows, steps),
        outgoing: updateOf(group, group.reads, outgoingRows, steps),
      }),
    },
  });
}

function errorsOf({ group, sites }: GroupWatch, batches: readonly BatchCaptures[]): tf.Tensor2D {
  const captures = batches.flat(2);
  if (captures.length > 0 && captures.every(({ error }) => error === undefined)) {
    throw new Error(
      `no error came back to '${group.id}': if its layer and all before it are frozen ` +
        '(trainable: false), leave it out of the scope',
    );
  }
  const rows = rowsOf(sites, batches, ({ value, error }) => error ?? tf.zerosLike(value));
  // a loss is the mean over its batch
  return batches.length === 0 ? rows : tf.mul(rows, patternsOf(batches[0]!));
}

function updateOf(
  group: GroupWatch,
  placed: readonly PlacedWeight[],
  rows: typeof incomingRows,
  steps: ReadonlyMap<string, Step>,
): Update {
  const stepOf = ({ variable }: TracedWeight) => steps.get(variable.name);
  return {
    get gradient() {
      return rows(group, placed, (weight) => stepOf(weight)?.gradient ?? tf.zeros([...weight.shape]));
    },
    get before() {
      return rows(group, placed, (weight) => stepOf(weight)?.before ?? weight.variable.read());
    },
    get after() {
      return rows(group, placed, (weight) => weight.variable.read());
    },
  };
}
