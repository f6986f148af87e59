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

/**
 * An optimizer of the same kind and settings, that goes on where the first one stands: slots cut as the
 * weights were, counters and running powers as they are. `weights` are the trainable ones in the order of
 * the optimizer's slots, `names` those that the smaller model's variables have.
 *
 * It reads the fields that all tf.train optimizers keep their slots in, because some (Adamax) don't
 * give them out by getWeights.
 */
export async function carryOptimizer(
  optimizer: tf.Optimizer,
  weights: readonly TracedWeight[],
  names: readonly string[],
  removal: Removal,
): Promise<tf.Optimizer> {
  const kind = optimizer.constructor as tf.serialization.SerializableConstructor<tf.Optimizer>;
  const carried = kind.fromConfig(kind, optimizer.getConfig());
  const fields = carried as unknown as Record<string, unknown>;
  for (const [field, value] of Object.entries(optimizer)) {
    if (isSlots(value)) {
      fields[field] = await Promise.all(
        value.map((slot, i) => slot && cutSlot(slot, weights[i]!, names[i]!, removal)),
      );
    } else if (value instanceof tf.Variable) {
      // assign alone would share the values, and whoever is disposed first would take them along
      const data = Float32Array.from(await value.data());
      tf.tidy(() => (fields[field] as tf.Variable).assign(tf.tensor(data, value.shape)));
    } else if (field === 'iterations_') {
      fields[field] = value;
    }
  }
  return carried;
}

async function cutSlot(slot: Slot, weight: TracedWeight, name: string, removal: Removal): Promise<Slot> {
  const kept = keptAxes(weight, removal);
  const data = Float32Array.from(await slot.variable.data());
  const shape = weight.shape.map((n, a) => kept[a]?.length ?? n);
  const variable = tf.tidy(() => tf.variable(tf.tensor(slice(data, weight.shape, kept), shape), false));
  return { originalName: `${name}/${slot.originalName.split('/').at(-1)}`, variable };
}
