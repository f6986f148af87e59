import { join } from 'node:path';
import type { BenchmarkOptions } from '../benchmark.ts';
import { type Criterion, criteria, type PrunedArgs } from './deep.ts';
import {
  HIDDEN,
  lefts,
  PAPER_COUNTS,
  RULE,
  type SingleRow,
  singleRows,
  totalOf,
  type Units,
} from './paper.ts';

/** One network to train, whatever the seed. `case` names its rows in the result. */
export type Task = { readonly case: string } & (
  | { readonly kind: 'single'; readonly row: SingleRow }
  | { readonly kind: 'fewest' }
  | { readonly kind: 'unpruned'; readonly units: Units }
  | { readonly kind: 'rule'; readonly budget: { readonly count: Units } | { readonly threshold: number } }
  /** The network that all prunings begin with. */
  | { readonly kind: 'first' }
  | ({ readonly kind: 'pruned' } & Pick<PrunedArgs, 'units' | 'criterion' | 'length'>)
);

/** One network with one seed: all that a worker needs to know. */
export interface Job extends Pick<BenchmarkOptions, 'engine' | 'quick'> {
  readonly task: Task;
  readonly seed: number;
  /** The folder that keeps what was trained. */
  readonly cache: string;
}

/** How many units each layer has after the paper's pruning. */
export const afterPaper: Units = {
  fc1: HIDDEN.fc1 - PAPER_COUNTS.removed.fc1,
  fc2: HIDDEN.fc2 - PAPER_COUNTS.removed.fc2,
  fc3: HIDDEN.fc3 - PAPER_COUNTS.removed.fc3,
};

const byCriteria = (units: Units): Task[] => {
  const name = leftName(units);
  const judged = (Object.keys(criteria) as Criterion[]).flatMap((criterion): Task[] => [
    { case: `${name}/${criterion}`, kind: 'pruned', units, criterion, length: 'long' },
    { case: `${name}/short/${criterion}`, kind: 'pruned', units, criterion, length: 'short' },
  ]);
  return [...judged, { case: `${name}/from-scratch`, kind: 'unpruned', units }];
};

export const leftName = (units: Units): string => `deep/${totalOf(units)}-left`;

/** The search for the fewest units; what follows it in a case is one of its sizes. */
export const restartCase = 'single/restart';

/** All that is trained: what others begin with first, then what takes longest. */
export const tasks: readonly Task[] = [
  { case: 'deep/first', kind: 'first' },
  { case: restartCase, kind: 'fewest' },
  ...singleRows.map((row): Task => ({ case: row.name, kind: 'single', row })),
  { case: 'deep/unpruned', kind: 'unpruned', units: HIDDEN },
  { case: 'deep/paper-counts', kind: 'rule', budget: { count: PAPER_COUNTS.removed } },
  { case: 'deep/paper-threshold', kind: 'rule', budget: { threshold: RULE.threshold } },
  ...byCriteria(afterPaper),
  ...lefts.flatMap(({ units }) => byCriteria(units)),
];

/** One job for each task and seed; but the search for the fewest units has seeds of its own. */
export const jobsFor = ({ seeds, quick, engine, out }: BenchmarkOptions): Job[] =>
  tasks.flatMap((task) =>
    (task.kind === 'fewest' ? seeds.slice(0, 1) : seeds).map((seed) => ({
      task,
      seed,
      quick,
      engine,
      cache: join(out, 'nets'),
    })),
  );
