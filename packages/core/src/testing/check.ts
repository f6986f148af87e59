import type { Judgement } from '../evidence/judgement.ts';
import type { Pruner } from '../pruner.ts';
import { descent, type Epoch, epochOf } from './epochs.ts';
import { judge } from './judge.ts';
import { withTensors } from './lend.ts';
import type { TestOptions } from './test-pruner.ts';

/** A pruner under test. */
export interface Subject extends TestOptions {
  readonly make: () => Pruner;
}

/** One clause of the contract. */
export interface Check {
  readonly name: string;
  /** Default: to every pruner. */
  readonly applies?: (subject: Subject) => boolean;
  /** Rejects if the pruner breaks the clause. */
  readonly run: (subject: Subject) => Promise<void>;
}

/** What the checks feed it. */
export const givenEpoch = ({ batches }: Subject): Epoch => (batches ? epochOf(batches) : descent());

export const judged = (pruner: Pruner, epoch: Epoch): Promise<Judgement> =>
  withTensors([epoch], ([seen]) => judge(pruner, seen!));
