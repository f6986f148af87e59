import { type Check, givenEpoch, judged } from './check.ts';
import { constant, deaden, type Epoch, scale, select, unitsOf } from './epochs.ts';

/** That what is rare or extreme is judged, too. */
export const copes: readonly Check[] = [
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
