import * as tf from '@tensorflow/tfjs-core';
import { evidenceFields } from '../evidence/criteria.ts';
import type { Pruner, Seen, Update, Weights } from '../pruner.ts';
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
  return 'updates' in shown ? [...weights, ...evidenceIn(shown)] : weights;
}

/** What a pruner is shown of batches. */
export type Shown = Omit<Seen, keyof Weights>;

export function evidenceIn({ activations, errors, losses, updates }: Shown): tf.Tensor[] {
  const steps = [updates.incoming, updates.outgoing];
  return [
    ...[activations, errors, losses],
    ...steps.flatMap(({ gradient, before, after }) => [gradient, before, after]),
  ];
}

/** What a pruner that pools is shown of several batches at once. The tensors are the caller's to dispose. */
export function joined(seen: readonly Seen[]): Shown {
  const all = <T extends tf.Tensor>(of: (one: Seen) => T): T => tf.concat(seen.map(of), 0) as T;
  const steps = (of: (one: Seen) => Update): Update => ({
    gradient: all((one) => of(one).gradient),
    before: all((one) => of(one).before),
    after: all((one) => of(one).after),
  });
  return {
    activations: all(({ activations }) => activations),
    errors: all(({ errors }) => errors),
    losses: all(({ losses }) => losses),
    patterns: seen.reduce((sum, { patterns }) => sum + patterns, 0),
    updates: {
      incoming: steps(({ updates }) => updates.incoming),
      outgoing: steps(({ updates }) => updates.outgoing),
    },
  };
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
