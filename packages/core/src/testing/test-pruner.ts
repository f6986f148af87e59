import { it } from 'vitest';
import type { Pruner } from '../pruner.ts';
import type { Subject } from './check.ts';
import { checks } from './checks.ts';
import type { BatchParts } from './numbers.ts';

/** What {@link testPruner} takes beside the pruner. */
export interface TestOptions {
  /**
   * One epoch's batches: as many parts as the criterion reads, the rest drawn. The checks feed them to the
   * pruner as they are, cut up, shuffled, scaled and with dead units. Default: four batches of random
   * numbers with the weights of four steps of gradient descent.
   */
  readonly batches?: readonly BatchParts[];
  /**
   * Whether the same patterns in one batch or in several must lead to the same judgement. Default: yes,
   * unless the pruner reads `updates`, of which there is one for each batch.
   */
  readonly streams?: boolean;
  /**
   * Whether a unit must be judged alike wherever it stands in its layer. Default: yes; a random baseline
   * can't.
   */
  readonly equivariant?: boolean;
}

/**
 * Registers the tests that every pruner passes, inside the `describe` that it is called in.
 *
 * A pruner answers for every unit with finite numbers of the right shape; gives the same answer twice, bit
 * for bit; goes on from a saved state as if it had never stopped; edits, disposes and leaks no tensor;
 * remembers nothing outside its state; reads only what it `needs`; judges the same however patterns are cut
 * into batches, units are ordered and, if it `pools` them, the optimizer's steps come one by one or together; passes importance
 * on in proportion (`BackwardPruner`); and copes with dead units, a single one, many, constant activations, and huge (1e6) and
 * tiny (1e-25) numbers.
 *
 * @param make makes the pruner, as a user would: it is called several times for each test.
 */
export function testPruner(make: () => Pruner, options: TestOptions = {}): void {
  const subject: Subject = { make, ...options };
  for (const { name, applies, run } of checks) if (applies?.(subject) ?? true) it(name, () => run(subject));
}
