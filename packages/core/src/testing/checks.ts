import * as tf from '@tensorflow/tfjs-core';
import { numbersOf } from '../evidence/answers.ts';
import { criteriaOf, evidenceFields, poolsBatches } from '../evidence/criteria.ts';
import { openSession } from '../evidence/session.ts';
import type { Seen, Weights } from '../pruner.ts';
import { type Check, givenEpoch, judged } from './check.ts';
import { expectClose, expectSame, fail } from './compare.ts';
import { copes } from './copes.ts';
import { cut, select, unitsOf } from './epochs.ts';
import { judge, watch } from './judge.ts';
import { bareWeights, evidenceIn, joined, tensorsOf, withTensors } from './lend.ts';
import { weightsOf } from './numbers.ts';

/** The contract, clause by clause. */
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
    name: 'passes on twice as much for twice the importance',
    applies: ({ make }) => 'pass' in make(),
    run: (subject) =>
      withTensors([givenEpoch(subject)], async ([seen]) => {
        const pruner = subject.make();
        if (!('pass' in pruner)) return;
        const { outgoing } = seen![0]!;
        const pass = (importance: number) =>
          numbersOf(pruner, 'pass', [outgoing.shape[0]], () =>
            pruner.pass(outgoing, tf.fill([outgoing.shape[1]], importance)),
          );
        const listed = (passed: Float32Array) => Array.from(passed, (score, unit) => ({ unit, score }));
        const once = await pass(1);
        const twice = listed(once.map((one) => 2 * one));
        expectClose(pruner, 'for an importance of 2', twice, listed(await pass(2)));
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
    name: 'judges the same whether the optimizer’s steps come one by one or together',
    applies: ({ make }) =>
      criteriaOf(make()).some((one) => poolsBatches(one) && one.needs?.includes('updates')),
    run: (subject) =>
      withTensors([givenEpoch(subject)], async ([seen]) => {
        const pruner = subject.make();
        const session = openSession(pruner, seen![0]!.bias.shape[0]);
        const evidence = joined(seen!);
        try {
          session.epochBegin(weightsOf(seen![0]!));
          for (const one of seen!) session.batchEnd(one, 'each');
          session.batchEnd({ ...weightsOf(seen!.at(-1)!), ...evidence }, 'pooled');
          const together = (await session.judge(weightsOf(seen!.at(-1)!)))();
          expectClose(pruner, 'of steps shown as one', await judge(subject.make(), seen!), together);
        } finally {
          session.dispose();
          tf.dispose(evidenceIn(evidence));
        }
      }),
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
  ...copes,
];

/** First the odd ones, then the even ones. */
function shuffled(units: number): number[] {
  const all = Array.from({ length: units }, (_, unit) => unit);
  return [...all.filter((unit) => unit % 2 === 1), ...all.filter((unit) => unit % 2 === 0)];
}
