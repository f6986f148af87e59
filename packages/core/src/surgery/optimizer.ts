import * as tf from '@tensorflow/tfjs-core';
import type { TracedWeight } from '../graph/trace.ts';
import type { Removal } from '../plan/removal.ts';
import { keptAxes, slice } from './weights.ts';

/** How tf.train's optimizers hold one slot (momentum, mean square, ...) of one variable. */
interface Slot {
  readonly originalName: string;
  readonly variable: tf.Variable;
}

const isSlots = (value: unknown): value is (Slot | undefined)[] =>
  Array.isArray(value) && value.some((slot) => (slot as Slot | undefined)?.variable instanceof tf.Variable);

/** A weight that goes on with the slots of an earlier one. */
export interface CarriedWeight {
  /** Of its variable in the new model. */
  readonly name: string;
  /** The earlier one. */
  readonly weight: TracedWeight;
  /** Where its slots stand in the first optimizer. */
  readonly slot: number;
}

/** A weight that no optimizer has seen yet. */
export interface FreshWeight {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * An optimizer of the same kind and settings, that goes on where the first one stands: slots cut as the
 * weights were, counters and running powers as they are. `weights` are the new model's trainable ones, in order.
 *
 * It reads the fields that all tf.train optimizers keep their slots in, because some (Adamax) don't
 * give them out by getWeights.
 */
export async function carryOptimizer(
  optimizer: tf.Optimizer,
  weights: readonly (CarriedWeight | FreshWeight)[],
  removal: Removal,
): Promise<tf.Optimizer> {
  const kind = optimizer.constructor as tf.serialization.SerializableConstructor<tf.Optimizer>;
  const next = kind.fromConfig(kind, optimizer.getConfig());
  const fields = next as unknown as Record<string, unknown>;
  for (const [field, value] of Object.entries(optimizer)) {
    if (isSlots(value)) {
      fields[field] = await Promise.all(
        weights.map((one) => {
          if ('shape' in one) return freshSlot(one, endOf(value.find((slot) => slot)!), next);
          const slot = value[one.slot];
          return slot && cutSlot(slot, one, removal);
        }),
      );
    } else if (value instanceof tf.Variable) {
      // assign alone would share the values, and whoever is disposed first would take them along
      const data = Float32Array.from(await value.data());
      tf.tidy(() => (fields[field] as tf.Variable).assign(tf.tensor(data, value.shape)));
    } else if (field === 'iterations_') {
      fields[field] = value;
    }
  }
  return next;
}

async function cutSlot(slot: Slot, { weight, name }: CarriedWeight, removal: Removal): Promise<Slot> {
  const kept = keptAxes(weight, removal);
  const data = Float32Array.from(await slot.variable.data());
  const shape = weight.shape.map((n, a) => kept[a]?.length ?? n);
  const variable = tf.tidy(() => tf.variable(tf.tensor(slice(data, weight.shape, kept), shape), false));
  return { originalName: `${name}/${endOf(slot)}`, variable };
}

/** As the optimizer itself would begin it: all do with zeros, but for Adagrad. tfjs can't dispose of a missing one. */
function freshSlot({ name, shape }: FreshWeight, end: string, optimizer: tf.Optimizer): Slot {
  const { initialAccumulatorValue: start = 0 } = optimizer.getConfig();
  const variable = tf.tidy(() => tf.variable(tf.fill([...shape], start as number), false));
  return { originalName: `${name}/${end}`, variable };
}

/** What an optimizer calls all its slots of one kind. */
const endOf = ({ originalName }: Slot): string => originalName.split('/').at(-1)!;
