import * as tf from '@tensorflow/tfjs-core';
import { evidenceFields } from '../evidence/criteria.ts';
import type { Pruner, Seen, Weights } from '../pruner.ts';
import type { Epoch } from './epochs.ts';
import { batch, weightsOf } from './numbers.ts';

/** Lends the epochs' tensors for as long as `use` takes. */
export async function withTensors<T>(
  epochs: readonly Epoch[],
  use: (seen: readonly (readonly Seen[])[]) => Promise<T>,
): Promise<T> {
  await tf.ready();
  const seen = epochs.map((epoch) => epoch.map(batch));
  const tensors = seen.flat().flatMap(tensorsOf);
  try {
    return await use(seen);
  } finally {
    tf.dispose(tensors);
  }
}

/** All that a pruner is shown. */
export function tensorsOf(shown: Seen | Weights): tf.Tensor[] {
  const weights = [shown.incoming, shown.bias, shown.outgoing, shown.scales];
  if (!('updates' in shown)) return weights;
  const steps = [shown.updates.incoming, shown.updates.outgoing];
  const updates = steps.flatMap(({ gradient, before, after }) => [gradient, before, after]);
  return [...weights, shown.activations, shown.errors, shown.losses, ...updates];
}

/** Weights that say what is wrong when evidence is looked for in them. */
export function bareWeights({ name }: Pruner, seen: Seen): Weights {
  const weights = weightsOf(seen);
  for (const field of evidenceFields) {
    Object.defineProperty(weights, field, {
      get() {
        throw new Error(`[${name}] '${field}' is shown to onBatchEnd alone`);
      },
    });
  }
  return weights;
}
