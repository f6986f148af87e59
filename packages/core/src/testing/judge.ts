import type { Judgement } from '../evidence/judgement.ts';
import { openSession, type Session } from '../evidence/session.ts';
import type { Pruner, Seen } from '../pruner.ts';
import { weightsOf } from './numbers.ts';

/**
 * What a pruner makes of some batches: the proposals for one group, the best to remove first. A score pruner
 * proposes every unit, the lowest score first.
 *
 * ```ts
 * expect(await judge(badness(), [batch({ errors: [[1, 3], [2, 0]] })])).toEqual([
 *   { unit: 1, score: -9 },
 *   { unit: 0, score: -5 },
 * ]);
 * ```
 *
 * @param epochs each a list of batches. The weights are those of the first batch when an epoch begins, and
 * those of the very last when the pruner judges. The batches stay as they are, for more tests.
 * @throws if there is no batch, and whatever core would throw about a pruner's answers.
 */
export async function judge(pruner: Pruner, ...epochs: readonly (readonly Seen[])[]): Promise<Judgement> {
  const last = epochs.at(-1)?.at(-1);
  if (!last) throw new Error('[core/testing] judge needs a batch, if only for its weights');
  const session = openSession(pruner, last.bias.shape[0]);
  try {
    for (const batches of epochs) watch(session, batches);
    return (await session.judge(weightsOf(last)))();
  } finally {
    session.dispose();
  }
}

/** One epoch. */
export function watch(session: Session, batches: readonly Seen[]): void {
  if (batches[0]) session.epochBegin(weightsOf(batches[0]));
  for (const seen of batches) session.batchEnd(seen);
}
