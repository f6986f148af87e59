import * as tf from '@tensorflow/tfjs-core';
import { evidenceFields } from '../evidence/criteria.ts';
import type { Judgement } from '../evidence/judgement.ts';
import { openSession } from '../evidence/session.ts';
import type { Pruner, Seen, Weights } from '../pruner.ts';
import { constant, cut, deaden, descent, type Epoch, epochOf, scale, select, unitsOf } from './epochs.ts';
import { judge, watch } from './judge.ts';
import { batch, weightsOf } from './numbers.ts';
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

/** How far two judgements may be apart where rounding may differ, as a share of the largest score. */
const TOLERANCE = 1e-4;

export const checks: readonly Check[] = [
  {
    // the first, for what a module keeps once and for all is seen only when it does
    name: 'leaks no tensor',
    run: (subject) =>
      withTensors([givenEpoch(subject)], async ([seen]) => {
        const before = tf.memory().numTensors;
        const pruner = subject.make();
        const session = openSession(pruner, seen![0]!.bias.shape[0]);
        for (let epoch = 0; epoch < 2; epoch++) {
          watch(session, seen!);
          (await session.judge(weightsOf(seen!.at(-1)!)))();
        }
        session.dispose();
        const leaked = tf.memory().numTensors - before;
        if (leaked !== 0) {
          fail(pruner, `${leaked} tensors are left after two epochs. Return what you want kept as the state`);
        }
      }),
  },
  {
    name: 'answers for every unit',
    async run(subject) {
      const pruner = subject.make();
      if (!pruner.name) fail(pruner, 'it needs a name for plans and messages');
      if (!('members' in pruner) && pruner.needs?.length && !pruner.onBatchEnd) {
        fail(pruner, `it needs ${pruner.needs} but has no onBatchEnd to see them in`);
      }
      await judged(pruner, givenEpoch(subject));
    },
  },
  {
    name: 'answers for every unit, however many will go',
    applies: ({ make }) => {
      const pruner = make();
      return 'byCount' in pruner && pruner.byCount === true;
    },
    run: (subject) =>
      withTensors([givenEpoch(subject)], async ([seen]) => {
        const pruner = subject.make();
        const units = seen![0]!.bias.shape[0];
        const session = openSession(pruner, units);
        try {
          watch(session, seen!);
          const judge = await session.judge(weightsOf(seen!.at(-1)!));
          for (let leaving = 0; leaving <= units; leaving++) {
            const named = judge(leaving).length;
            if (named !== units)
              fail(pruner, `where ${leaving} will go, it names ${named} of ${units} units`);
          }
        } finally {
          session.dispose();
        }
      }),
  },
  {
    name: 'gives the same answer twice',
    run: (subject) =>
      withTensors([givenEpoch(subject)], async ([seen]) => {
        const pruner = subject.make();
        const session = openSession(pruner, seen![0]!.bias.shape[0]);
        try {
          watch(session, seen!);
          const first = (await session.judge(weightsOf(seen!.at(-1)!)))();
          const again = (await session.judge(weightsOf(seen!.at(-1)!)))();
          expectSame(pruner, 'judged again', first, again);
          expectSame(pruner, 'made and run again', first, await judge(subject.make(), seen!));
        } finally {
          session.dispose();
        }
      }),
  },
  {
    name: 'remembers nothing outside its state',
    run(subject) {
      const one = givenEpoch(subject);
      const last = unitsOf(one) - 1;
      // another group, of another size if there are units enough
      const order = shuffled(unitsOf(one)).filter((unit) => last === 0 || unit !== last);
      const other = select(one, order).map((numbers) => ({ ...numbers, group: `${numbers.group} 2` }));
      return withTensors([one, other], async (groups) => {
        const pruner = subject.make();
        const sessions = groups.map((seen) => openSession(pruner, seen[0]!.bias.shape[0]));
        try {
          // epoch by epoch and batch by batch in turns, as in a training
          sessions.forEach((session, group) => {
            session.epochBegin(weightsOf(groups[group]![0]!));
          });
          one.forEach((_, step) => {
            for (const [group, session] of sessions.entries()) session.batchEnd(groups[group]![step]!);
          });
          for (const [group, session] of [...sessions.entries()].reverse()) {
            const together = (await session.judge(weightsOf(groups[group]!.at(-1)!)))();
            const alone = await judge(subject.make(), groups[group]!);
            expectSame(pruner, 'run beside another group', alone, together);
          }
        } finally {
          for (const session of sessions) session.dispose();
        }
      });
    },
  },
  {
    name: 'leaves evidence and weights as they are',
    run: (subject) =>
      withTensors([givenEpoch(subject)], async ([seen]) => {
        const pruner = subject.make();
        const inputs: (Seen | Weights)[] = [...seen!, weightsOf(seen![0]!), weightsOf(seen!.at(-1)!)];
        const tensors = inputs.flatMap(tensorsOf);
        const before = await Promise.all(tensors.map(async (tensor) => Array.from(await tensor.data())));
        const session = openSession(pruner, seen![0]!.bias.shape[0]);
        try {
          session.epochBegin(inputs.at(-2)!);
          for (const one of seen!) session.batchEnd(one);
          (await session.judge(inputs.at(-1)!))();
        } finally {
          session.dispose();
        }
        if (inputs.flatMap(tensorsOf).some((tensor, i) => tensor !== tensors[i])) {
          fail(pruner, 'it replaced a tensor that it was only shown');
        }
        if (tensors.some(({ isDisposed }) => isDisposed)) {
          fail(pruner, 'it disposed a tensor that it was only shown');
        }
        for (const [i, tensor] of tensors.entries()) {
          const after = await tensor.data();
          if (before[i]!.some((value, at) => !Object.is(value, after[at]))) {
            fail(pruner, 'it changed the values of a tensor that it was only shown');
          }
        }
      }),
  },
  {
    name: 'reads only the evidence that it needs',
    run: (subject) =>
      withTensors([givenEpoch(subject)], async ([seen]) => {
        const pruner = subject.make();
        const wrong = pruner.needs?.find((need) => !evidenceFields.includes(need));
        if (wrong) fail(pruner, `it needs '${wrong}', but there are only ${evidenceFields.join(', ')}`);
        const session = openSession(pruner, seen![0]!.bias.shape[0]);
        try {
          session.epochBegin(bareWeights(pruner, seen![0]!));
          for (const one of seen!) session.batchEnd(one);
          (await session.judge(bareWeights(pruner, seen!.at(-1)!)))();
        } finally {
          session.dispose();
        }
      }),
  },
  {
    name: 'goes on from what was saved',
    run: (subject) =>
      withTensors([givenEpoch(subject)], async ([seen]) => {
        const pruner = subject.make();
        const units = seen![0]!.bias.shape[0];
        const [before, after] = [openSession(pruner, units), openSession(subject.make(), units)];
        const half = Math.ceil(seen!.length / 2);
        try {
          watch(before, seen!.slice(0, half));
          // as a file would bring it back
          after.restore(JSON.parse(JSON.stringify(await before.save())));
          for (const one of seen!.slice(half)) after.batchEnd(one);
          const judgement = (await after.judge(weightsOf(seen!.at(-1)!)))();
          expectSame(pruner, 'saved and gone on', await judge(subject.make(), seen!), judgement);
        } finally {
          before.dispose();
          after.dispose();
        }
      }),
  },
  {
    name: 'judges the same however the patterns are cut into batches',
    applies({ make, streams }) {
      const { needs = [] } = make();
      return needs.length > 0 && (streams ?? !needs.includes('updates'));
    },
    async run(subject) {
      const pruner = subject.make();
      const [whole, parts] = cut(givenEpoch(subject));
      expectClose(
        pruner,
        `in ${parts.length} batches instead of one`,
        await judged(pruner, whole),
        await judged(subject.make(), parts),
      );
    },
  },
  {
    name: 'judges a unit the same wherever it stands',
    applies: ({ equivariant = true }) => equivariant,
    async run(subject) {
      const pruner = subject.make();
      const epoch = givenEpoch(subject);
      const order = shuffled(unitsOf(epoch));
      const moved = await judged(subject.make(), select(epoch, order));
      const back = moved.map(({ unit, into, also, score }) => ({
        unit: order[unit]!,
        ...(into !== undefined && { into: order[into]! }),
        ...(also !== undefined && { also: order[also]! }),
        score,
      }));
      expectClose(pruner, 'with its units in another order', await judged(pruner, epoch), back);
    },
  },
  copesWith('some dead units', (epoch) => deaden(epoch, (unit) => unit % 2 === 0)),
  copesWith('nothing but dead units', (epoch) => deaden(epoch, () => true)),
  copesWith('constant activations', constant),
  copesWith('a single unit', (epoch) => select(epoch, [0])),
  copesWith('many units, some of them alike', (epoch) =>
    select(
      epoch,
      Array.from({ length: 256 }, (_, unit) => unit % unitsOf(epoch)),
    ),
  ),
  copesWith('huge numbers', (epoch) => scale(epoch, 1e6)),
  copesWith('tiny numbers', (epoch) => scale(epoch, 1e-25)),
];

/** That the answer is whole and finite: the session throws if it isn't. */
function copesWith(what: string, change: (epoch: Epoch) => Epoch): Check {
  return {
    name: `copes with ${what}`,
    async run(subject) {
      await judged(subject.make(), change(givenEpoch(subject)));
    },
  };
}

const givenEpoch = ({ batches }: Subject): Epoch => (batches ? epochOf(batches) : descent());

const judged = (pruner: Pruner, epoch: Epoch): Promise<Judgement> =>
  withTensors([epoch], ([seen]) => judge(pruner, seen!));

/** Lends the epochs' tensors for as long as `use` takes. */
async function withTensors<T>(
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

function tensorsOf(shown: Seen | Weights): tf.Tensor[] {
  const weights = [shown.incoming, shown.bias, shown.outgoing, shown.scales];
  if (!('updates' in shown)) return weights;
  const steps = [shown.updates.incoming, shown.updates.outgoing];
  const updates = steps.flatMap(({ gradient, before, after }) => [gradient, before, after]);
  return [...weights, shown.activations, shown.errors, shown.losses, ...updates];
}

/** Weights that say what is wrong when evidence is looked for in them. */
function bareWeights({ name }: Pruner, seen: Seen): Weights {
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

/** First the odd ones, then the even ones. */
function shuffled(units: number): number[] {
  const all = Array.from({ length: units }, (_, unit) => unit);
  return [...all.filter((unit) => unit % 2 === 1), ...all.filter((unit) => unit % 2 === 0)];
}

function expectSame(pruner: Pruner, when: string, expected: Judgement, actual: Judgement): void {
  const same = (a: Judgement[number], b: Judgement[number] | undefined) =>
    a.unit === b?.unit && a.into === b.into && a.also === b.also && a.score === b.score;
  if (expected.length !== actual.length || !expected.every((proposal, i) => same(proposal, actual[i]))) {
    fail(pruner, `${when}, it answers ${show(actual)} instead of ${show(expected)}`);
  }
}

/** The same proposals with nearly the same scores; in whatever order, for scores may tie. */
function expectClose(pruner: Pruner, when: string, expected: Judgement, actual: Judgement): void {
  // of two units that go together, either may be named first
  const key = ({ unit, into, also = unit }: Judgement[number]) =>
    `${Math.min(unit, also)} and ${Math.max(unit, also)} into ${into}`;
  const scores = new Map(actual.map((proposal) => [key(proposal), proposal.score]));
  const margin = TOLERANCE * expected.reduce((most, { score }) => Math.max(most, Math.abs(score)), 0);
  const isThere = (proposal: Judgement[number]) =>
    Math.abs((scores.get(key(proposal)) ?? Number.NaN) - proposal.score) <= margin;
  if (expected.length !== actual.length || !expected.every(isThere)) {
    fail(pruner, `${when}, it answers ${show(actual)} instead of ${show(expected)}`);
  }
}

const show = (judgement: Judgement): string =>
  `[${judgement.map(({ unit, into, also, score }) => `${unit}${into === undefined ? '' : ` into ${into}`}${also === undefined ? '' : ` and ${also}`}: ${score}`).join(', ')}]`;

function fail({ name }: Pruner, what: string): never {
  throw new Error(`[${name}] ${what}.`);
}
